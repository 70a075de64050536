namespace Keck.Metering;

/// <summary>
/// A kind of work that a commissioning run met, by what counters tell of it. Counters do not tell what an instruction costs: a vector
/// operation and an addition count the same. Work that looks alike is taken to cost alike.
/// </summary>
/// <param name="InstructionsPerCycle">Above 0.</param>
/// <param name="MissesPerKiloInstruction">Last-level cache misses per 1,000 instructions.</param>
/// <param name="EnergyFactor">Energy against what the model of counters says; its mean over the run is 1.</param>
/// <param name="MemoryFactor">Memory's energy against misses × <see cref="MachineProfile.MicrojoulesPerMiss"/>: prefetches are not counted.</param>
public readonly record struct InstructionMix(double InstructionsPerCycle, double MissesPerKiloInstruction, double EnergyFactor, double MemoryFactor);
