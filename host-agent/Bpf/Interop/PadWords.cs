using System.Runtime.CompilerServices;

namespace Keck.Bpf.Interop;

/// <summary>Six words that keep two writers off one cache line.</summary>
[InlineArray(6)]
internal struct PadWords
{
    private ulong _first;
}
