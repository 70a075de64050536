using System.Diagnostics;
using Keck.Metering;

namespace Keck.Power;

/// <summary>What a counter's verdict means for a meter, in words.</summary>
internal static class CounterProblems
{
    /// <summary>The problem of a verdict that carries no energy.</summary>
    /// <param name="verdict">Gap, Reset, Jump, OutOfRange or FlatZero.</param>
    /// <param name="where">The file or event.</param>
    /// <param name="maxWatts">The most its domain can draw.</param>
    internal static MeterProblem Of(CounterVerdict verdict, string where, int maxWatts) => verdict switch
    {
        CounterVerdict.FlatZero => new(
            Absence.NotPresent,
            $"{where} has only ever read 0: a hypervisor answers so for a counter that it does not give, a chip for a part that it does not have"),
        CounterVerdict.Reset => new(
            Absence.Malformed,
            $"{where} went back without having wrapped (reset, resume or reloaded driver): the energy since the last reading is unknown"),
        CounterVerdict.Gap => new(
            Absence.Stale,
            $"{where} was not read for so long that it may have wrapped unseen at {maxWatts} W: the energy since the last reading is unknown",
            "read more often, or find out what held the agent up"),
        CounterVerdict.Jump => new(
            Absence.Malformed,
            $"{where} rose by more than {maxWatts} W can give: not used unless the next reading agrees",
            $"raise {nameof(PowerOptions.MaxPackageWatts)} if this machine draws that much"),
        CounterVerdict.OutOfRange => new(Absence.Malformed, $"{where} is above its own max_energy_range_uj"),
        _ => throw new UnreachableException($"{verdict} carries energy or starts the count"),
    };
}
