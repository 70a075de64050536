namespace Keck.Lab;

/// <summary>Who runs on a machine, and what can be observed of it.</summary>
public sealed record LabLoad
{
    /// <summary>Consumers, the kernel first.</summary>
    public required IReadOnlyList<LabConsumer> Consumers { get; init; }

    /// <summary>Their threads.</summary>
    public required IReadOnlyList<LabThread> Threads { get; init; }

    /// <summary>How long all but the kernel keep still at first, s.</summary>
    public double IdleSeconds { get; init; }

    /// <summary>Highest clock that is set, by time: (from, s; GHz).</summary>
    public IReadOnlyList<(double From, double Gigahertz)> Caps { get; init; } = [];

    /// <summary>Whether any hardware counter is read.</summary>
    public bool HasCounters { get; init; } = true;

    /// <summary>Whether frequencies are known.</summary>
    public bool HasFrequency { get; init; } = true;

    /// <summary>Interrupt time of a busy CPU, part of its time.</summary>
    public double InterruptPart { get; init; } = 0.004;
}
