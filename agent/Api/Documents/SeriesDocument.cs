namespace Keck.Agent;

/// <summary>One series; null where nothing was observed.</summary>
internal sealed record SeriesDocument(string Key, string Name, string Unit, double?[] V);
