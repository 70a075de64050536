namespace Keck.Agent;

/// <summary>Reads the dialects' names in flags and queries.</summary>
public static class MetricDialectNames
{
    /// <summary>The dialects of a comma-separated list, such as <c>kepler,scaphandre</c>; null where one is unknown.</summary>
    public static MetricDialects? Parse(string list)
    {
        MetricDialects dialects = MetricDialects.None;
        foreach (string name in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            switch (name)
            {
                case "kepler":
                    dialects |= MetricDialects.Kepler;
                    break;
                case "scaphandre":
                    dialects |= MetricDialects.Scaphandre;
                    break;
                default:
                    return null;
            }
        }

        return dialects;
    }
}
