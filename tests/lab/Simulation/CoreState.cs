namespace Keck.Lab;

/// <summary>A core in one step.</summary>
internal struct CoreState
{
    /// <summary>Clock, GHz.</summary>
    internal double Gigahertz;

    /// <summary>Its voltage squared, V².</summary>
    internal double VoltsSquare;

    /// <summary>Leakage while awake, W.</summary>
    internal double LeakageWatts;

    /// <summary>Time any of its CPUs was busy, part of the step.</summary>
    internal double Busy;

    /// <summary>Time both were.</summary>
    internal double Both;

    /// <summary>Mean load lately, by which the clock may go.</summary>
    internal double Load;

    /// <summary>Whether vector code ran on it in the step before.</summary>
    internal bool Vector;

    /// <summary>Whether it runs in this step.</summary>
    internal bool VectorNow;

    /// <summary>Its place in the spread of manufacture: clocks differ a little.</summary>
    internal double Trim;
}
