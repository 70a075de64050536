namespace Keck.Bench;

/// <summary>What the plain attribution splits energy down to.</summary>
/// <param name="Owner">Process row; -1 system.</param>
/// <param name="Run">Index of the run; -1 for none.</param>
/// <param name="Cpu">CPU of interrupt time; -1 for none.</param>
/// <param name="Package">Package of the CPU.</param>
/// <param name="Weight">Weight under the model.</param>
/// <param name="Time">Weight by time alone.</param>
internal sealed record PlainLeaf(int Owner, int Run, int Cpu, int Package, double Weight, double Time);
