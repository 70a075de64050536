namespace Keck.Metering;

/// <summary>A process that a slot is of.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Pid">Its pid.</param>
/// <param name="StartNanoseconds">Its start since boot, ns.</param>
public readonly record struct SignatureRow(int Row, int Pid, long StartNanoseconds);
