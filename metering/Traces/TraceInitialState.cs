namespace Keck.Metering;

/// <summary>What the live attribution was set to and carried before a trace's first tick: replay goes on from it.</summary>
/// <param name="Attribution">What was set.</param>
/// <param name="Idle">The idle policy.</param>
/// <param name="State">What was carried, as of the end of the tick before the trace's first (<see cref="Attributor.State"/>).</param>
/// <param name="Calibration">Hash of the machine profile in use; null where none was.</param>
public sealed record TraceInitialState(AttributionOptions Attribution, IdlePolicy Idle, AttributorState State, string? Calibration = null);
