using System.Numerics;

namespace Keck.Host;

/// <summary>
/// SipHash-2-4 with 128 bits of result (Aumasson, Bernstein; the key is secret, what comes out tells nothing of it). Its own few lines,
/// because the framework's keyed hashes load OpenSSL.
/// </summary>
internal static class KeyedHash
{
    private const int RoundsOfWord = 2;
    private const int RoundsAtEnd = 4;

    /// <summary>Hashes one word.</summary>
    /// <param name="key">The key's two halves, little-endian.</param>
    /// <param name="word">The message, eight bytes, little-endian.</param>
    /// <returns>The result's two halves, little-endian.</returns>
    internal static (ulong First, ulong Second) Of((ulong First, ulong Second) key, ulong word)
    {
        // The first constants are "somepseudorandomlygeneratedbytes"; 0xee and 0xdd mark the long result.
        Lanes lanes = new()
        {
            A = key.First ^ 0x736f6d6570736575,
            B = key.Second ^ 0x646f72616e646f6d ^ 0xee,
            C = key.First ^ 0x6c7967656e657261,
            D = key.Second ^ 0x7465646279746573,
        };
        lanes.Take(word);
        lanes.Take((ulong)sizeof(ulong) << 56);
        lanes.C ^= 0xee;
        lanes.Rounds(RoundsAtEnd);
        ulong first = lanes.All;
        lanes.B ^= 0xdd;
        lanes.Rounds(RoundsAtEnd);
        return (first, lanes.All);
    }

    private struct Lanes
    {
        internal ulong A;
        internal ulong B;
        internal ulong C;
        internal ulong D;

        internal readonly ulong All => A ^ B ^ C ^ D;

        internal void Take(ulong word)
        {
            D ^= word;
            Rounds(RoundsOfWord);
            A ^= word;
        }

        internal void Rounds(int count)
        {
            for (int i = 0; i < count; i++)
            {
                A += B;
                B = BitOperations.RotateLeft(B, 13) ^ A;
                A = BitOperations.RotateLeft(A, 32);
                C += D;
                D = BitOperations.RotateLeft(D, 16) ^ C;
                A += D;
                D = BitOperations.RotateLeft(D, 21) ^ A;
                C += B;
                B = BitOperations.RotateLeft(B, 17) ^ C;
                C = BitOperations.RotateLeft(C, 32);
            }
        }
    }
}
