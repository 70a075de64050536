namespace Keck.Metering;

/// <summary>The state of a <see cref="StaticFloor"/> between two ticks, as a trace's header carries it.</summary>
/// <param name="Watts">The learned floor; null until the first window has closed.</param>
/// <param name="SeenIdle">Whether the machine has been seen idle.</param>
/// <param name="WindowMicrojoules">Energy of the window under way, µJ.</param>
/// <param name="WindowBusy">Busy time of the window under way, ns.</param>
/// <param name="WindowCapacity">CPU time available in the window under way, ns.</param>
/// <param name="WindowLength">Length of the window under way, ns.</param>
/// <param name="IdleWatts">Power of the idlest window, W; 0 for none.</param>
/// <param name="IdleUtilisation">Part of the CPU time that was busy in it, 0 to 1.</param>
/// <param name="Ratio">Idle power over full power; 0 for the prior.</param>
public readonly record struct StaticFloorState(
    double? Watts, bool SeenIdle, double WindowMicrojoules, double WindowBusy, double WindowCapacity, long WindowLength,
    double IdleWatts = 0, double IdleUtilisation = 0, double Ratio = 0);
