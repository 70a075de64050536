namespace Keck.VsockProtocol;

/// <summary>
/// Rounds what leaves towards a guest to whole quanta of 1 mJ. The counter itself keeps the remainder, so the error is below one
/// quantum at any time and does not grow. The bounds are rounded outwards and take in the rounding of the figure.
/// </summary>
public static class EnergyQuantum
{
    /// <summary>A figure as a guest may see it.</summary>
    /// <param name="energy">µJ, cumulative, not negative.</param>
    /// <param name="low">Lower end of its interval, µJ; at most <paramref name="energy"/>.</param>
    /// <param name="high">Upper end, µJ; at least <paramref name="energy"/>.</param>
    /// <param name="quality">Of the energy that was split.</param>
    /// <param name="origin">Of the energy that was split.</param>
    /// <param name="into">Filled and returned; a sender that keeps its figures allocates none.</param>
    public static WireFigure ToGuest(long energy, long low, long high, WireQuality quality, WireOrigin origin, WireFigure into)
    {
        ArgumentNullException.ThrowIfNull(into);
        ArgumentOutOfRangeException.ThrowIfNegative(low);
        ArgumentOutOfRangeException.ThrowIfLessThan(energy, low);
        ArgumentOutOfRangeException.ThrowIfLessThan(high, energy);
        into.EnergyMicrojoules = Down(energy);
        into.LowMicrojoules = Down(low);
        into.HighMicrojoules = Down(high) + ((ulong)high % ChannelProtocol.QuantumMicrojoules == 0 ? 0 : ChannelProtocol.QuantumMicrojoules);
        into.Quality = quality;
        into.Origin = origin;
        return into;
    }

    private static ulong Down(long value) => (ulong)value - ((ulong)value % ChannelProtocol.QuantumMicrojoules);
}
