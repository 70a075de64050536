using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// What a CPU generation lets expect of a meter's idle power, as a part of its full power, until the machine has been seen idle. The
/// published figures are of whole servers, the meters are of packages: the bounds say so.
/// </summary>
public static class IdlePriors
{
    /// <summary>
    /// Board, fans and disks draw alike idle and busy: a package's own ratio may be half of its server's. Nothing published says by how
    /// much; this is a judgement.
    /// </summary>
    internal const double WholeServerFactor = 2;

    /// <summary>The most that a ratio is taken to be.</summary>
    internal const double MostRatio = 0.9;

    /// <summary>The prior for a CPU; null where its generation is not in the table, or a hypervisor hides it: then the generic one holds.</summary>
    public static IdlePrior? For(CpuIdentity cpu)
    {
        ArgumentNullException.ThrowIfNull(cpu);
        return For(cpu, EstimateTable.Load());
    }

    /// <summary>The same for the CPU of a trace's header.</summary>
    public static IdlePrior? For(TraceCpu cpu)
    {
        ArgumentNullException.ThrowIfNull(cpu);
        return For(new CpuIdentity { Vendor = cpu.Vendor ?? "", Family = cpu.Family, Model = cpu.Model, Stepping = cpu.Stepping, Name = cpu.Name ?? "" });
    }

    /// <summary>The same for the machine under a root of procfs.</summary>
    public static IdlePrior? For(string procRoot)
    {
        try
        {
            return For(CpuIdentity.Parse(File.ReadAllText(Path.Combine(procRoot, "cpuinfo"))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static IdlePrior? For(CpuIdentity cpu, ImmutableArray<EstimateRow> table)
    {
        if (EstimateBasis.Generation(cpu, table) is not { } row)
        {
            return null;
        }

        // Percentiles of idle and of full load, taken as independent: servers that draw more idle draw more busy too, so that this is rather too wide.
        double ratio = row.Idle.Median / row.Full.Median, server = Math.Log(WholeServerFactor);
        double down = Apart(row.Idle.Median / row.Idle.Low, row.Full.High / row.Full.Median, server);
        double up = Apart(row.Idle.High / row.Idle.Median, row.Full.Median / row.Full.Low, Math.Log(EstimateBasis.TunedServerFactor));
        return new IdlePrior(
            Round(ratio), Round(ratio / down), Round(Math.Min(MostRatio, ratio * up)),
            string.Create(CultureInfo.InvariantCulture, $"{row.Generation}, whole servers: {row.Results} results ({row.Source}, {row.Date:yyyy-MM-dd})"));
    }

    private static double Apart(double idle, double full, double more) => Math.Exp(Math.Sqrt((Math.Log(idle) * Math.Log(idle)) + (Math.Log(full) * Math.Log(full)) + (more * more)));

    private static double Round(double ratio) => Math.Round(ratio, 3);
}
