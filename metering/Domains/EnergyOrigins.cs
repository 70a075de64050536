namespace Keck.Metering;

/// <summary>The names of origins and qualities in traces, metrics and JSON.</summary>
public static class EnergyOrigins
{
    private static readonly string[] OriginNames =
    [
        "rapl", "perf", "hwmon", "redfish", "ipmi", "serial", "nvml", "dcgm", "budget", "estimate",
    ];

    private static readonly string[] QualityNames = ["measured", "estimated", "derived"];

    /// <summary>The origin's name, such as <c>rapl</c>.</summary>
    public static string Name(this EnergyOrigin origin) => OriginNames[(int)origin];

    /// <summary>The quality's name, such as <c>measured</c>.</summary>
    public static string Name(this ReadingQuality quality) => QualityNames[(int)quality];

    /// <summary>The origin of a name, or null for a name that is none.</summary>
    public static EnergyOrigin? ParseOrigin(string name)
    {
        int index = Array.IndexOf(OriginNames, name);
        return index < 0 ? null : (EnergyOrigin)index;
    }

    /// <summary>The quality of a name, or null for a name that is none.</summary>
    public static ReadingQuality? ParseQuality(string name)
    {
        int index = Array.IndexOf(QualityNames, name);
        return index < 0 ? null : (ReadingQuality)index;
    }
}
