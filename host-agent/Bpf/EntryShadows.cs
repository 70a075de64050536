using System.Runtime.CompilerServices;
using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>What has been reported of a slot's entries.</summary>
[InlineArray(EntryRecords.Count)]
internal struct EntryShadows
{
    private EntryShadow _first;
}
