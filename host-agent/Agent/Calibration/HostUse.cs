using Keck.Metering;

namespace Keck.Host;

/// <summary>Who used how much CPU time while the machine should have been idle.</summary>
internal sealed class HostUse
{
    private const int Named = 3;

    private readonly Dictionary<(int Pid, string Name), double> _others = [];
    private double _capacity;
    private double _own;
    private double _busy;

    /// <summary>Part of all CPU time that others used, 0 to 1.</summary>
    internal double Ratio => _capacity > 0 ? Math.Max(0, _busy - _own) / _capacity : 0;

    /// <summary>Takes in a tick.</summary>
    internal void Add(Observation observation)
    {
        _capacity += (double)observation.Length.Nanoseconds * Math.Max(1, observation.Topology.Cpus.Length);
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            _busy += cpu.BusyNanoseconds;
        }

        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            ThreadRow row = observation.ThreadTable[thread.Row];
            double ran = 0;
            foreach (ref readonly RunSample run in observation.Runs.Items.Slice(thread.FirstRun, thread.RunCount))
            {
                ran += run.Nanoseconds;
            }

            if (row.Pid == Environment.ProcessId)
            {
                _own += ran;
            }
            else
            {
                string name = row.Process >= 0 ? observation.ProcessTable[row.Process].Name : row.Name;
                _others[(row.Pid, name)] = _others.GetValueOrDefault((row.Pid, name)) + ran;
            }
        }
    }

    /// <summary>Those who used most, for people.</summary>
    internal string Busiest() => string.Join(", ", _others.OrderByDescending(other => other.Value).Take(Named)
        .Select(other => FormattableString.Invariant($"{other.Key.Name} ({other.Key.Pid}) {other.Value / _capacity:P0}")));
}
