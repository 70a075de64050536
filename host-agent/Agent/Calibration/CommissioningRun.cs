using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Host;

/// <summary>A commissioning run on this machine: does the plan's steps while the agent meters, then fits. Stopped or failed, it leaves the machine as it was.</summary>
/// <param name="agent">The agent that meters.</param>
/// <param name="plan">What is done.</param>
/// <param name="frequencies">The CPUs' frequencies; null where the plan leaves them alone.</param>
/// <param name="time">The clock.</param>
/// <param name="progress">Told what is done now.</param>
internal sealed class CommissioningRun(HostAgent agent, CalibrationPlan plan, CpuFrequencies? frequencies, TimeProvider time, Action<string> progress)
{
    /// <summary>How much of the CPU time others may use while the machine should be idle.</summary>
    internal const double MostOthers = 0.1;

    /// <summary>Whether a busy machine is calibrated all the same.</summary>
    internal bool Force { get; init; }

    /// <summary>The meters that a calibration is for: an estimate knows nothing of this machine that could be found out by it.</summary>
    internal static IEnumerable<Meter> PackageMeters(ImmutableArray<Meter> meters) =>
        meters.Where(meter => meter is { Selected: true, Domain: EnergyDomain.Package, Quality: ReadingQuality.Measured });

    /// <summary>Does it.</summary>
    /// <param name="trace">Where the trace of it goes; null for none.</param>
    /// <param name="cancellation">Stops it at once.</param>
    /// <exception cref="CalibrationException">The machine cannot be calibrated, or not now; the message says why.</exception>
    internal async Task<MachineProfile> RunAsync(Stream? trace, CancellationToken cancellation)
    {
        if (!PackageMeters(agent.PowerMeters.Meters).Any())
        {
            throw new CalibrationException("this machine has no meter that measures its packages, so there is nothing to calibrate; keck-host doctor says what is missing");
        }

        // The first tick only sets the starting point.
        agent.Engine.Tick();
        using CancellationTokenSource over = new();
        using CommissioningFeed feed = new();
        Task ticks = LiveLoop.RunAsync(
            agent,
            Timeout.InfiniteTimeSpan,
            time,
            beforeFirst: () => agent.Engine.Attach(feed, (observation, attributor) => feed.Begin(agent.TraceHeader(observation, attributor), trace)),
            over.Token);
        try
        {
            using LoadCrew crew = new(agent.PowerMeters.Topology);
            for (int i = 0; i < plan.Steps.Length; i++)
            {
                progress(string.Create(
                    CultureInfo.InvariantCulture, $"step {i + 1} of {plan.Steps.Length}: {plan.Steps[i]}; {Math.Ceiling(plan.Rest(i).TotalSeconds):0} s left"));
                await PerformAsync(plan.Steps[i], crew, ticks, cancellation).ConfigureAwait(false);
                if (i == 0)
                {
                    Judge(feed);
                }
            }
        }
        finally
        {
            frequencies?.Dispose();
            await over.CancelAsync().ConfigureAwait(false);
            await ticks.ConfigureAwait(false);
            agent.Engine.Detach(feed);
        }

        return feed.Fit(Force);
    }

    private async Task PerformAsync(CalibrationStep step, LoadCrew crew, Task ticks, CancellationToken cancellation)
    {
        frequencies?.Set(step.Speed);
        if (step.Load is { } load)
        {
            crew.Begin(load, step.Cpus);
        }

        try
        {
            // The ticks end before the step only where they fail.
            await (await Task.WhenAny(Task.Delay(step.Length, time, cancellation), ticks).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            crew.End();
        }
    }

    // What was seen in the idle step: whether the meters count at all, and whether the machine was idle.
    private void Judge(CommissioningFeed feed)
    {
        (HostUse use, IReadOnlySet<string> counted) = feed.Look();
        if (PackageMeters(agent.PowerMeters.Meters).FirstOrDefault(meter => !counted.Contains(meter.Id)) is { } silent)
        {
            throw new CalibrationException($"{silent.Id} counted no energy; keck-host doctor says what is wrong with it");
        }

        if (use.Ratio > MostOthers && !Force)
        {
            throw new CalibrationException(FormattableString.Invariant(
                $"the machine is busy: others used {use.Ratio:P0} of its CPU time while it should have been idle: {use.Busiest()}; load average {LoadAverage()}. Stop them, take another time, or say --force"));
        }
    }

    private string LoadAverage()
    {
        try
        {
            return string.Join(' ', File.ReadAllText(Path.Combine(agent.Options.ProcRoot, "loadavg")).Split(' ').Take(3));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
