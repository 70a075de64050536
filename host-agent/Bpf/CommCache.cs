using System.Runtime.CompilerServices;
using System.Text;
using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>Names seen, so that a storm of threads of one name allocates one string. Bounded: it starts afresh when full.</summary>
internal sealed class CommCache
{
    private const int Most = 8192;
    private readonly Dictionary<UInt128, string> _names = [];

    /// <summary>The name as a string; bytes that are not UTF-8 become U+FFFD.</summary>
    internal string Get(CommBytes comm)
    {
        Span<byte> bytes = comm;
        int length = bytes.IndexOf((byte)0);
        length = length < 0 ? bytes.Length : length;
        bytes[length..].Clear();
        UInt128 key = Unsafe.ReadUnaligned<UInt128>(ref bytes[0]);
        if (!_names.TryGetValue(key, out string? name))
        {
            if (_names.Count >= Most)
            {
                _names.Clear();
            }

            name = Encoding.UTF8.GetString(bytes[..length]);
            _names.Add(key, name);
        }

        return name;
    }
}
