using System.Runtime.CompilerServices;

namespace Keck.Bpf.Interop;

/// <summary>Seven words that keep two writers off one cache line.</summary>
[InlineArray(7)]
internal struct PadWords
{
    private ulong _first;
}
