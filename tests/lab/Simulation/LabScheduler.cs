namespace Keck.Lab;

/// <summary>Moves threads that may move: to the least loaded of a few CPUs, whole free cores first.</summary>
internal sealed class LabScheduler(LabMachine machine, LabLoad load, LabRandom random)
{
    /// <summary>Looks once at every thread.</summary>
    /// <param name="wanted">What is wanted of each CPU; kept up to date.</param>
    internal void Balance(double[] wanted)
    {
        foreach (LabThread thread in load.Threads)
        {
            if (thread.Placement == Placement.Pinned || thread.Wanted <= 0)
            {
                continue;
            }

            bool hop = thread.Placement == Placement.Migrating && random.Unit() < 0.4;
            if (!hop && random.Unit() > 0.08 && wanted[thread.Cpu] <= 1.05)
            {
                continue;
            }

            wanted[thread.Cpu] -= thread.Wanted;
            int best = hop ? random.Int(0, machine.Cpus) : thread.Cpu;
            for (int i = 0; i < 3; i++)
            {
                int other = random.Int(0, machine.Cpus);
                best = Pressure(wanted, other) < Pressure(wanted, best) - 0.05 ? other : best;
            }

            thread.Cpu = best;
            wanted[best] += thread.Wanted;
        }
    }

    private double Pressure(double[] wanted, int cpu) =>
        machine.ThreadsPerCore == 1 ? wanted[cpu] : wanted[cpu] + (0.4 * wanted[(cpu + machine.Cores) % machine.Cpus]);
}
