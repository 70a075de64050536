namespace Keck.Metering;

/// <summary>How good an estimate is. Ratios, 1 = 100 %; null where there is nothing to tell it from.</summary>
public sealed record AccuracyReport
{
    /// <summary>Ticks compared.</summary>
    public required long Ticks { get; init; }

    /// <summary>Windows compared.</summary>
    public required long Windows { get; init; }

    /// <summary>Machines and processes with any energy, in truth or estimate.</summary>
    public required int Consumers { get; init; }

    /// <summary>Whole run, machines and processes: Σ|estimate − truth| / Σ truth.</summary>
    public required double? Error { get; init; }

    /// <summary>The same of machines.</summary>
    public required double? MachineError { get; init; }

    /// <summary>The same of processes.</summary>
    public required double? ProcessError { get; init; }

    /// <summary>Machines and processes, packages alone.</summary>
    public required double? PackageError { get; init; }

    /// <summary>Machines and processes, memory alone.</summary>
    public required double? DramError { get; init; }

    /// <summary>The kernel and interrupts.</summary>
    public required double? SystemError { get; init; }

    /// <summary>(Estimated − true) / true static energy, signed: what is called idle against what belongs to nobody.</summary>
    public required double? StaticBias { get; init; }

    /// <summary>Over windows of a second, machines and processes.</summary>
    public required double? WindowError { get; init; }

    /// <summary>The largest error of one consumer that has at least 1 % of the energy.</summary>
    public required double? WorstConsumerError { get; init; }

    /// <summary>Windows of consumers with truth above 1 mJ and bounds.</summary>
    public required long Bounded { get; init; }

    /// <summary>Part of them in which the truth lies within the bounds.</summary>
    public required double? Coverage { get; init; }

    /// <summary>Part in which it lies above the upper bound.</summary>
    public required double? Above { get; init; }

    /// <summary>Median of (high − low) / truth.</summary>
    public required double? MedianWidth { get; init; }

    /// <summary>Interval score at 95 %: Σ(width + 40 × what the truth lies outside) / Σ truth.</summary>
    public required double? IntervalScore { get; init; }

    /// <summary>Ticks of which a meter was not conserved to the microjoule; null without the trace.</summary>
    public required long? NotConserved { get; init; }
}
