namespace Keck.Lab;

/// <summary>How a thread's wish to run goes on in time.</summary>
public enum DemandPattern
{
    /// <summary>The same all the time.</summary>
    Steady,

    /// <summary>On and off, with random lengths.</summary>
    Bursty,

    /// <summary>Up and down slowly, with noise.</summary>
    Wavy,
}
