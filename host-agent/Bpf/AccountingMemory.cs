using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>The records that the kernel programs write, wherever they lie: mapped from the kernel, or made up by a test or benchmark.</summary>
internal abstract class AccountingMemory : IDisposable
{
    /// <summary>How often a record in flux is read anew before it is given up.</summary>
    internal const int SeqlockAttempts = 10_000;

    /// <summary>Most overflow slots of one thread.</summary>
    internal const int LongestChain = 1024;

    /// <summary>One record per possible CPU.</summary>
    internal abstract Span<CpuRecord> Cpus { get; }

    /// <summary>The slots; index 0 is never used.</summary>
    internal abstract Span<SlotRecord> Slots { get; }

    /// <summary>Who the slots are, by the same index.</summary>
    internal abstract Span<MetaRecord> Metas { get; }

    /// <summary>The ring of free slots; its length is a power of two.</summary>
    internal abstract Span<ulong> Ring { get; }

    /// <summary>Perf counters by slot; empty where none are read.</summary>
    internal abstract Span<CounterRecord> Counters { get; }

    /// <summary>Perf events behind <see cref="Counters"/>, of all CPUs together.</summary>
    internal virtual int Events => 0;

    /// <summary>How long an event was wanted and how long it counted, ns; null where that cannot be read.</summary>
    internal virtual (ulong Wanted, ulong Counted)? EventTimes(int index) => null;

    /// <summary>Ring positions and event counts.</summary>
    internal abstract ref GlobalsRecord Globals { get; }

    /// <summary>CLOCK_MONOTONIC, ns.</summary>
    internal abstract long Now();

    /// <summary>Settles the running slice of one CPU as far as its scheduler knows it.</summary>
    internal abstract void Flush(int cpu);

    /// <summary>Has every CPU's count of switches written to its record.</summary>
    internal virtual void Look()
    {
        // Memory that is made up has no switches but those in its records.
    }

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
