using Keck.Metering;

namespace Keck.Virt.Tests;

/// <summary>A resolver with a running directory and an observation to be filled by hand.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly RunningDirectory _running;
    private long _tick;

    internal Bench(ProcTree tree)
    {
        _running = new RunningDirectory(tree.Options);
        Resolver = new MachineResolver(_running.Directory);
    }

    internal MachineDirectory Directory => _running.Directory;

    internal MachineResolver Resolver { get; }

    internal Observation Observation { get; } = new();

    internal void Add(int pid, int tid, string name, string? cgroup = null, bool kernel = false, long startTicks = 1000)
    {
        long start = (startTicks * 10_000_000) + 1234;
        int row = Observation.ThreadTable.Add(new ThreadRow { Tid = tid, Pid = pid, Name = name, StartNanoseconds = start + tid, ProcessStartNanoseconds = start, Kernel = kernel });
        int process = Observation.ProcessTable.FindOrAdd(pid, start, name, kernel);
        Observation.ThreadTable[row].Process = process;
        Observation.ProcessTable[process].LiveThreads++;
        if (cgroup is not null)
        {
            Observation.ProcessTable[process].Cgroup = cgroup;
        }
    }

    /// <summary>The next tick, with what is born in it.</summary>
    internal void Tick(Action? births = null)
    {
        Observation.Begin(++_tick, _tick * 1000);
        births?.Invoke();
        Resolver.Resolve(Observation);
    }

    /// <summary>Ticks until a process is known as a machine's. What was added before is new in the first of these ticks.</summary>
    internal async Task UntilMachineAsync(int pid)
    {
        Resolver.Resolve(Observation);
        await Wait.UntilAsync(
            () =>
            {
                Tick();
                return Process(pid).Machine >= 0;
            },
            $"process {pid} is a machine's");
    }

    internal ref ProcessRow Process(int pid) => ref Observation.ProcessTable[Observation.ProcessTable.FindNewest(pid)];

    internal ThreadRow Thread(int tid) => Observation.ThreadTable.Rows.ToArray().Single(row => row.Tid == tid);

    internal (ThreadRole Role, int Vcpu) Role(int tid) => (Thread(tid).Role, Thread(tid).Vcpu);

    public ValueTask DisposeAsync() => _running.DisposeAsync();
}
