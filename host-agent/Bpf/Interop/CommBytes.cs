using System.Runtime.CompilerServices;

namespace Keck.Bpf.Interop;

/// <summary>A comm: at most 15 bytes and a zero.</summary>
[InlineArray(16)]
internal struct CommBytes
{
    private byte _first;
}
