namespace Keck.Metering;

/// <summary>How much a reading is worth; a lower value is better.</summary>
public enum ReadingQuality
{
    /// <summary>A sensor counted this energy.</summary>
    Measured,

    /// <summary>A model of the hardware computed it.</summary>
    Estimated,

    /// <summary>Computed from another reading (a gauge held over time, a part of an estimate).</summary>
    Derived,
}
