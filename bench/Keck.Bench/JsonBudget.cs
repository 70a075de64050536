namespace Keck.Bench;

/// <summary>A figure of the plain version of the channel.</summary>
internal record struct JsonFigure(ulong EnergyMicrojoules, ulong LowMicrojoules, ulong HighMicrojoules, string Quality, string Origin);

/// <summary>What a Budget says, as one would write it for JSON lines.</summary>
internal sealed class JsonBudget
{
    public string Type { get; set; } = "budget";

    public ulong Interval { get; set; }

    public ulong IntervalNanoseconds { get; set; }

    public ulong BaseInterval { get; set; }

    public List<JsonFigure> VcpuActive { get; set; } = [];

    public JsonFigure? OverheadActive { get; set; }

    public JsonFigure? DramActive { get; set; }
}
