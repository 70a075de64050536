namespace Keck.Agent;

/// <summary>Columnar history; <c>t</c> are the ends of the steps.</summary>
internal sealed record HistoryDocument(DateTime[] T, SeriesDocument[] Series, double Step, string IdlePolicy);
