using System.Numerics;
using System.Runtime.Intrinsics;
using Keck.Metering;

namespace Keck.Host;

/// <summary>The loads of one thread, in bursts that last well below a millisecond each. Allocates its memory at the first burst that needs it, then nothing.</summary>
/// <param name="bytes">How much memory streaming and chasing go through; more than the caches hold of it is what makes them kinds of their own.</param>
internal sealed class LoadKernels(int bytes)
{
    private const int Rounds = 20_000;
    private const int Hops = 1_000;
    private const int StreamBytes = 1 << 18;

    private readonly byte[] _text = new byte[4096];
    private readonly byte[] _hash = new byte[Sha256.Length];
    private long[] _stream = [];
    private int[] _links = [];
    private int _from;
    private int _at;
    private ulong _number = 88_172_645_463_325_252;
    private float _sum;

    /// <summary>What came out: kept, so that no compiler finds the work to be needless.</summary>
    internal (ulong Number, float Sum, int At, byte Hash) Result => (_number, _sum, _at, _hash[0]);

    /// <summary>Works a little.</summary>
    internal void Burst(LoadKind kind)
    {
        switch (kind)
        {
            case LoadKind.Vector:
                _sum = Vector(_sum);
                break;
            case LoadKind.Streaming:
                Stream();
                break;
            case LoadKind.Chasing:
                Chase();
                break;
            case LoadKind.Crypto:
                _hash.CopyTo(_text, 0);
                Sha256.Hash(_text, _hash);
                break;
            default:
                _number = Integer(_number);
                break;
        }
    }

    // Four chains side by side, as compilers' output has them.
    private static ulong Integer(ulong seed)
    {
        ulong a = seed | 1, b = seed + 2, c = seed ^ 0x9E37_79B9, d = ~seed;
        for (int i = 0; i < Rounds; i++)
        {
            a ^= a << 13;
            b = (b * 6_364_136_223_846_793_005) + 1_442_695_040_888_963_407;
            c += BitOperations.RotateLeft(d, 7) ^ b;
            d = (d >> 3) + a;
            a ^= a >> 7;
        }

        return a ^ b ^ c ^ d;
    }

    // Eight chains fill the multipliers and adders. 128 bits at a time: the program is compiled for every x86-64 there is, so nothing wider is at hand.
    private static float Vector(float seed)
    {
        Vector128<float> factor = Vector128.Create(0.9999f), step = Vector128.Create(seed + 1e-3f);
        Vector128<float> a = step, b = factor, c = step + factor, d = step - factor, e = step, f = factor, g = c, h = d;
        for (int i = 0; i < Rounds; i++)
        {
            a = (a * factor) + step;
            b = (b * factor) + step;
            c = (c * factor) + step;
            d = (d * factor) + step;
            e = (e * factor) + step;
            f = (f * factor) + step;
            g = (g * factor) + step;
            h = (h * factor) + step;
        }

        return Bounded(Vector128.Sum(a + b + c + d + e + f + g + h));
    }

    // Denormal and huge numbers cost other energy than usual ones.
    private static float Bounded(float sum) => float.IsFinite(sum) ? sum - MathF.Floor(sum) : 0.5f;

    private void Stream()
    {
        if (_stream.Length == 0)
        {
            _stream = new long[bytes / sizeof(long)];
        }

        int half = _stream.Length / 2, length = Math.Min(StreamBytes / sizeof(long), half);
        _from = _from + length > half ? 0 : _from;
        _stream.AsSpan(_from, length).CopyTo(_stream.AsSpan(half + _from));
        _from += length;
    }

    private void Chase()
    {
        if (_links.Length == 0)
        {
            // One ring through all of it, in the order of a generator with the full period: no prefetcher knows where it goes next.
            _links = new int[BitOperations.RoundUpToPowerOf2((uint)(bytes / sizeof(int)))];
            for (int i = 0; i < _links.Length; i++)
            {
                _links[i] = unchecked((int)(((uint)i * 1_664_525) + 1_013_904_223)) & (_links.Length - 1);
            }
        }

        int at = _at;
        for (int i = 0; i < Hops; i++)
        {
            at = _links[at];
        }

        _at = at;
    }
}
