namespace Keck.Lab;

/// <summary>A package in one step, and what it has used since the start.</summary>
internal struct PackageState
{
    /// <summary>True energy since the start, µJ.</summary>
    internal double Microjoules;

    /// <summary>True energy of its memory, µJ.</summary>
    internal double DramMicrojoules;

    /// <summary>Energy of this step, µJ.</summary>
    internal double Step;

    /// <summary>The memory's, µJ.</summary>
    internal double DramStep;

    /// <summary>Power of the step before, W.</summary>
    internal double Watts;

    /// <summary>The memory's, W.</summary>
    internal double DramWatts;

    /// <summary>Smoothed power, by which the limit goes, W.</summary>
    internal double LimitedWatts;

    /// <summary>Part of the clock that the limit leaves.</summary>
    internal double Throttle;

    /// <summary>Temperature, °C.</summary>
    internal double Celsius;

    /// <summary>Lines that threads wanted to move in this step.</summary>
    internal double Lines;

    /// <summary>Part of the wanted speed that memory allows.</summary>
    internal double Bandwidth;

    /// <summary>Cores awake, in mean.</summary>
    internal double AwakeCores;

    /// <summary>Chance that all cores are asleep.</summary>
    internal double Asleep;

    /// <summary>Core time that shares the awake cost, halved where siblings share, part of the step.</summary>
    internal double CoreTime;
}
