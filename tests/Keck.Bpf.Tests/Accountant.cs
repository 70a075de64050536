using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Bpf.Tests;

/// <summary>A run source on this kernel, and what it has reported so far.</summary>
internal sealed class Accountant : IDisposable
{
    private readonly Dictionary<(int Tid, int Cpu), long> _byRun = [];
    private long _tick;

    internal Accountant(BpfOptions? options = null)
    {
        BpfStart start = BpfProbe.TryStart(options ?? Options(), NullLogger.Instance);
        Source = start.Source ?? throw new InvalidOperationException(start.Message + start.Detail);
        End = Source.StartNanoseconds;
    }

    internal BpfRunSource Source { get; }

    internal Observation Observation { get; } = new();

    internal long End { get; private set; }

    /// <summary>Nanoseconds by thread name, of threads whose name was known when they ran.</summary>
    internal Dictionary<string, long> ByName { get; } = [];

    /// <summary>Threads ended so far, by name.</summary>
    internal Dictionary<string, int> Ended { get; } = [];

    internal Dictionary<int, ThreadRow> ByTid { get; } = [];

    internal Dictionary<int, (long Instructions, long Cycles, long LlcMisses)> Counters { get; } = [];

    internal long Busy { get; private set; }

    internal long Runs { get; private set; }

    internal long Lost { get; private set; }

    internal long Interrupt { get; private set; }

    internal long Idle { get; private set; }

    internal List<double> Closure { get; } = [];

    internal static BpfOptions Options(params PerfCounter[] counters) => new()
    {
        Topology = new Topology(Enumerable.Range(0, Environment.ProcessorCount).Select(cpu => new CpuPlace(cpu, cpu, 0, 0)), null),
        Counters = counters,
    };

    internal static bool CanRun()
    {
        BpfStart start = BpfProbe.TryStart(Options(), NullLogger.Instance);
        start.Source?.Dispose();
        return start.Source is not null;
    }

    internal void Drain()
    {
        Observation.Begin(++_tick, End);
        Source.Drain(Observation);
        End = Observation.EndNanoseconds;
        foreach (ref ThreadSample thread in Observation.Threads.Items)
        {
            ref ThreadRow row = ref Observation.ThreadTable[thread.Row];
            ByTid[row.Tid] = row;
            foreach (ref RunSample run in Observation.Runs.Items.Slice(thread.FirstRun, thread.RunCount))
            {
                _byRun[(row.Tid, run.Cpu)] = _byRun.GetValueOrDefault((row.Tid, run.Cpu)) + run.Nanoseconds;
                ByName[row.Name] = ByName.GetValueOrDefault(row.Name) + run.Nanoseconds;
                Runs += run.Nanoseconds;
            }

            (long instructions, long cycles, long misses) = Counters.GetValueOrDefault(row.Tid);
            Counters[row.Tid] = (instructions + thread.Instructions, cycles + thread.Cycles, misses + thread.LlcMisses);
        }

        foreach (int row in Observation.ThreadTable.Ended)
        {
            ByTid[Observation.ThreadTable[row].Tid] = Observation.ThreadTable[row];
            Ended[Observation.ThreadTable[row].Name] = Ended.GetValueOrDefault(Observation.ThreadTable[row].Name) + 1;
        }

        foreach (ref CpuSample cpu in Observation.Cpus.Items)
        {
            Busy += cpu.BusyNanoseconds;
            Lost += cpu.LostNanoseconds;
            Idle += cpu.IdleNanoseconds;
            Interrupt += cpu.InterruptNanoseconds;
        }

        Closure.Add(Source.LastDrain.WorstClosurePartsPerMillion);
    }

    /// <summary>Drains at this pace until the program says something; <paramref name="each"/> after every drain.</summary>
    internal string DrainUntilAnswer(NativeProgram program, int milliseconds, Action? each = null)
    {
        Task<string> answer = Task.Run(program.Hear);
        while (!answer.Wait(milliseconds))
        {
            Drain();
            each?.Invoke();
        }

        return answer.Result;
    }

    internal long Of(int tid) => _byRun.Where(run => run.Key.Tid == tid).Sum(run => run.Value);

    internal long Of(int tid, int cpu) => _byRun.GetValueOrDefault((tid, cpu));

    public void Dispose() => Source.Dispose();
}
