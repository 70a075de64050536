using System.Globalization;
using Keck.Metering;

namespace Keck.Virt.Tests;

/// <summary>This machine's processes of some pids as an observation, filled from /proc as a run source would.</summary>
internal sealed class RigObservation
{
    private long _tick;

    internal Observation Observation { get; } = new();

    /// <summary>The next tick: threads of these processes that are new are added.</summary>
    internal void Tick(MachineResolver resolver, IEnumerable<int> pids)
    {
        Observation.Begin(++_tick, _tick * 1000);
        HashSet<int> known = [.. Observation.ThreadTable.Rows.ToArray().Select(row => row.Tid)];
        foreach (int pid in pids)
        {
            foreach (string task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                int tid = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
                try
                {
                    if (!known.Contains(tid))
                    {
                        Add(pid, tid);
                    }
                }
                catch (IOException)
                {
                    // A worker of QEMU's pool that has ended.
                }
            }
        }

        resolver.Resolve(Observation);
    }

    private void Add(int pid, int tid)
    {
        long leader = Start($"/proc/{pid}/stat");
        string cgroup = File.ReadAllLines($"/proc/{pid}/cgroup").Single(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];
        string comm = File.ReadAllText($"/proc/{pid}/comm").TrimEnd();
        int process = Observation.ProcessTable.FindOrAdd(pid, leader, comm, kernel: false);
        Observation.ProcessTable[process].Cgroup ??= cgroup;
        // The name at birth is the maker's.
        int row = Observation.ThreadTable.Add(new ThreadRow { Tid = tid, Pid = pid, Name = comm, StartNanoseconds = Start($"/proc/{pid}/task/{tid}/stat"), ProcessStartNanoseconds = leader });
        Observation.ThreadTable[row].Process = process;
    }

    private static long Start(string path)
    {
        string text = File.ReadAllText(path);
        return long.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture) * 10_000_000;
    }
}
