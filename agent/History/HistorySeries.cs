namespace Keck.Agent;

/// <summary>One series of an answer.</summary>
/// <param name="Key">Which one.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Watts">Mean power over the step that ends at each time; null where nothing was observed.</param>
public sealed record HistorySeries(SeriesKey Key, string Name, double?[] Watts);
