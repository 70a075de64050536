using System.Collections.Immutable;
using System.Numerics;
using Keck.Metering;

namespace Keck.Host;

/// <summary>A worker for each CPU. A few of them spread over packages and cores before two share a core.</summary>
internal sealed class LoadCrew : IDisposable
{
    // Beyond the last-level cache of nearly every machine, and never a large part of its memory.
    private const int MostBytes = 64 << 20;
    private const int LeastBytes = 1 << 20;
    private const int MemoryPart = 16;

    private readonly ImmutableArray<LoadWorker> _workers;
    private int _working;

    /// <summary>Starts the workers, asleep.</summary>
    internal LoadCrew(Topology topology)
    {
        long share = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryPart / Math.Max(1, topology.Cpus.Length);
        int bytes = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(share / 2, LeastBytes, MostBytes));
        _workers = [.. Order(topology).Select((cpu, number) => new LoadWorker(number, cpu, bytes))];
    }

    /// <summary>Puts load on some CPUs; the others rest.</summary>
    internal void Begin(LoadKind kind, int cpus)
    {
        for (_working = 0; _working < cpus && _working < _workers.Length; _working++)
        {
            _workers[_working].Begin(kind);
        }
    }

    /// <summary>Ends all load; when it returns, nothing runs.</summary>
    internal void End()
    {
        while (_working > 0)
        {
            _workers[--_working].End();
        }
    }

    public void Dispose()
    {
        End();
        foreach (LoadWorker worker in _workers)
        {
            worker.Dispose();
        }
    }

    /// <summary>The CPUs in the order in which they get load: by turns one of each package, each core once before any a second time.</summary>
    internal static ImmutableArray<int> Order(Topology topology) =>
    [
        .. topology.Cpus.GroupBy(cpu => cpu.Core)
            .SelectMany(core => core.OrderBy(cpu => cpu.Cpu).Select((cpu, thread) => (Thread: thread, Place: cpu)))
            .GroupBy(cpu => (cpu.Thread, cpu.Place.Package))
            .SelectMany(group => group.OrderBy(cpu => cpu.Place.Cpu).Select((cpu, turn) => (cpu.Thread, Turn: turn, cpu.Place.Package, cpu.Place.Cpu)))
            .OrderBy(cpu => (cpu.Thread, cpu.Turn, cpu.Package))
            .Select(cpu => cpu.Cpu),
    ];
}
