using System.Collections.Immutable;

namespace Keck.Host;

/// <summary>The steps of a commissioning run: idle first, then each kind of load on one, half and all CPUs, then slower where that was asked for.</summary>
internal sealed class CalibrationPlan
{
    /// <summary>The longest run, whatever is asked for.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    // Idle is what everything else is taken from: it gets more time, and enough of it in the shortest run.
    private const int IdleSteps = 2;
    private static readonly TimeSpan LeastIdle = TimeSpan.FromSeconds(3);
    private static readonly double[] Speeds = [1 / 3.0, 2 / 3.0];
    private static readonly LoadKind[] SlowerLoads = [LoadKind.Integer, LoadKind.Vector, LoadKind.Streaming];

    private CalibrationPlan(ImmutableArray<CalibrationStep> steps) => Steps = steps;

    /// <summary>What is done, in order; the first one is idle.</summary>
    internal ImmutableArray<CalibrationStep> Steps { get; }

    /// <summary>How long it takes.</summary>
    internal TimeSpan Length => Rest(0);

    /// <summary>Makes the plan.</summary>
    /// <param name="cpus">CPUs of the machine.</param>
    /// <param name="step">How long a step is.</param>
    /// <param name="frequencies">Whether the CPUs are slowed down as well.</param>
    internal static CalibrationPlan For(int cpus, TimeSpan step, bool frequencies)
    {
        TimeSpan idle = step * IdleSteps;
        ImmutableArray<CalibrationStep>.Builder steps = ImmutableArray.CreateBuilder<CalibrationStep>();
        steps.Add(new CalibrationStep(null, 0, null, idle > LeastIdle ? idle : LeastIdle));
        int[] counts = [.. new[] { 1, cpus / 2, cpus }.Where(count => count > 0).Distinct()];
        steps.AddRange(Enum.GetValues<LoadKind>().SelectMany(load => counts.Select(count => new CalibrationStep(load, count, null, step))));
        foreach (double speed in frequencies ? Speeds : [])
        {
            steps.AddRange(SlowerLoads.SelectMany(load => new[] { 1, cpus }.Distinct().Select(count => new CalibrationStep(load, count, speed, step))));
        }

        return new CalibrationPlan(steps.ToImmutable());
    }

    /// <summary>How long it takes from a step on.</summary>
    internal TimeSpan Rest(int from)
    {
        TimeSpan length = TimeSpan.Zero;
        foreach (CalibrationStep step in Steps.Skip(from))
        {
            length += step.Length;
        }

        return length;
    }
}
