using System.Runtime.CompilerServices;

namespace Keck.Bpf.Interop;

/// <summary>The inline entries of a slot (KECK_ENTRIES of kernel/records.h).</summary>
[InlineArray(Count)]
internal struct EntryRecords
{
    internal const int Count = 2;
    private EntryRecord _first;
}
