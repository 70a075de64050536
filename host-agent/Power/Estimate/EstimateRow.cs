using System.Collections.Immutable;

namespace Keck.Power;

/// <summary>One CPU generation of <c>estimate.csv</c>.</summary>
/// <param name="Vendor"><c>vendor_id</c> of /proc/cpuinfo.</param>
/// <param name="Generation">Its name for people.</param>
/// <param name="From">First year of its servers.</param>
/// <param name="Results">How many published results the percentiles are of.</param>
/// <param name="Idle">Idle.</param>
/// <param name="Full">At full load.</param>
/// <param name="Cpus">Family, model and steppings.</param>
/// <param name="Source">Where the results come from.</param>
/// <param name="Date">When the percentiles were computed.</param>
internal sealed record EstimateRow(
    string Vendor,
    string Generation,
    int From,
    int Results,
    WattRange Idle,
    WattRange Full,
    ImmutableArray<(int Family, int Model, int FirstStepping, int LastStepping)> Cpus,
    string Source,
    DateOnly Date)
{
    /// <summary>Whether a CPU is of this generation.</summary>
    internal bool Covers(CpuIdentity cpu)
    {
        foreach ((int family, int model, int first, int last) in Cpus)
        {
            if (cpu.Vendor == Vendor && cpu.Family == family && cpu.Model == model && (cpu.Stepping ?? 0) >= first && (cpu.Stepping ?? 0) <= last)
            {
                return true;
            }
        }

        return false;
    }
}
