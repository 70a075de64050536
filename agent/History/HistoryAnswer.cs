namespace Keck.Agent;

/// <summary>Columnar history.</summary>
/// <param name="Times">Ends of the steps, wall time.</param>
/// <param name="Step">Length of a step.</param>
/// <param name="Series">The series, hungriest first.</param>
public sealed record HistoryAnswer(DateTimeOffset[] Times, TimeSpan Step, IReadOnlyList<HistorySeries> Series);
