using System.Globalization;

namespace Keck.Agent;

/// <summary>
/// Keeps the agent within its budget: over budget for <see cref="Patience"/> steps a profile down, calm for <see cref="CalmTime"/>
/// steps one up again, never above what was configured. Pure: it sees readings with their times and answers with a change or none.
/// A step up that is soon taken back doubles the calm asked for, up to eight times, so that it does not flap.
/// </summary>
public sealed class ProfileGovernor
{
    /// <summary>How long the agent may be over budget without a break.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long it must be calm (CPU below half, memory below 80 % of the budget in force) before a step up.</summary>
    public static readonly TimeSpan CalmTime = TimeSpan.FromMinutes(5);

    private const double CalmCpu = 0.5;
    private const double CalmMemory = 0.8;
    private const long MeanOver = 10_000_000_000;

    private readonly ProfileKind _ceiling;
    private long _lastCpu;
    private long _lastAt;
    private long? _overSince;
    private long? _calmSince;
    private long _calmFactor = 1;
    private bool _started;

    /// <summary>Starts at the profile configured.</summary>
    public ProfileGovernor(ProfileKind configured)
    {
        _ceiling = configured;
        Current = configured;
    }

    /// <summary>The profile in force.</summary>
    public ProfileKind Current { get; private set; }

    /// <summary>Changes so far.</summary>
    public long Changes { get; private set; }

    /// <summary>The last change; null before the first.</summary>
    public ProfileChange? LastChange { get; private set; }

    /// <summary>Busy part of one CPU, mean over some ten seconds; null before it is known.</summary>
    public double? CpuRatio { get; private set; }

    /// <summary>Why the profile in force is in force, in words.</summary>
    public string Reason => LastChange is null || Current == _ceiling ? "configured" : LastChange.Why;

    /// <summary>Looks at a reading; call it every second or so.</summary>
    /// <returns>The change it led to, to be logged and applied; null for none.</returns>
    public ProfileChange? Observe(in SelfUsage usage, long nanoseconds)
    {
        if (!_started)
        {
            _started = true;
            (_lastCpu, _lastAt) = (usage.CpuNanoseconds, nanoseconds);
            return null;
        }

        if (nanoseconds - _lastAt >= MeanOver)
        {
            CpuRatio = (double)(usage.CpuNanoseconds - _lastCpu) / (nanoseconds - _lastAt);
            (_lastCpu, _lastAt) = (usage.CpuNanoseconds, nanoseconds);
        }

        AgentProfile budget = AgentProfile.Of(Current);
        string? over = Excess(budget, usage);
        _overSince = over is null ? null : _overSince ?? nanoseconds;
        _calmSince = IsCalm(budget, usage) ? _calmSince ?? nanoseconds : null;
        if (over is not null && Current > ProfileKind.Minimal && nanoseconds - _overSince >= Patience.Ticks * 100)
        {
            bool tookBack = LastChange is { } last && last.To > last.From && nanoseconds - last.AtNanoseconds < CalmTime.Ticks * 200;
            _calmFactor = tookBack ? Math.Min(8, _calmFactor * 2) : _calmFactor;
            return Change(Current - 1, over, nanoseconds);
        }

        if (Current < _ceiling && nanoseconds - _calmSince >= CalmTime.Ticks * 100 * _calmFactor)
        {
            return Change(Current + 1, string.Create(CultureInfo.InvariantCulture, $"calm for {CalmTime.TotalMinutes * _calmFactor:0} min"), nanoseconds);
        }

        return null;
    }

    private ProfileChange Change(ProfileKind to, string why, long nanoseconds)
    {
        LastChange = new ProfileChange(Current, to, why, nanoseconds);
        Current = to;
        Changes++;
        (_overSince, _calmSince) = (null, null);
        return LastChange;
    }

    private string? Excess(AgentProfile budget, in SelfUsage usage)
    {
        if (CpuRatio > budget.CpuBudgetRatio)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"CPU {CpuRatio * 100:0.0} % of one CPU is over {budget.Name}'s {budget.CpuBudgetRatio * 100:0.0} %");
        }

        long? memory = usage.AnonymousBytes ?? usage.ResidentBytes;
        return memory > budget.MemoryBudgetBytes
            ? string.Create(CultureInfo.InvariantCulture, $"memory {memory >> 20} MiB is over {budget.Name}'s {budget.MemoryBudgetBytes >> 20} MiB")
            : null;
    }

    private bool IsCalm(AgentProfile budget, in SelfUsage usage) =>
        CpuRatio < budget.CpuBudgetRatio * CalmCpu
        && (usage.AnonymousBytes ?? usage.ResidentBytes ?? 0) < budget.MemoryBudgetBytes * CalmMemory;
}
