using System.Text.Json;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary>
/// Ends the guests' intervals with ticks of the host: a Mark when the runs have been drained, a Budget when their energy is booked
/// and saved. The interval's number goes on over restarts, as the ledger does.
/// </summary>
internal sealed class ChannelOutlet(ChannelHub hub, StateKeeper? keeper, TimeSpan interval, ulong number) : ITickOutlet
{
    // Numbers of Marks that went out after the last save must not come again with another moment.
    private const ulong StartsLater = 1_000;

    // Ticks are early or late by a little: an interval may be shorter by so much, but not the mean of several.
    private const int Tolerance = 20;
    private ulong _number = number + StartsLater;
    private long _next = long.MinValue;
    private long _ended = long.MinValue;
    private long _length;
    private bool _due;

    /// <summary>The number of the last interval.</summary>
    internal ulong Interval => _number;

    /// <summary>The number of the last interval that a state was saved with; 0 for a new one.</summary>
    internal static ulong NumberOf(ResumedState state) =>
        state.Saved is { } saved && saved.TryGetProperty("interval"u8, out JsonElement value) && value.TryGetUInt64(out ulong known) ? known : 0;

    /// <summary>Writes the number of the last interval.</summary>
    internal void Write(Utf8JsonWriter json) => json.WriteNumber("interval"u8, _number);

    /// <inheritdoc/>
    public void OnDrained(Observation observation)
    {
        long end = observation.EndNanoseconds, whole = (long)interval.TotalNanoseconds;
        _due = observation.Tick > 0 && (_next == long.MinValue || end >= _next - (whole / Tolerance));
        if (!_due)
        {
            return;
        }

        _length = _ended == long.MinValue ? observation.Length.Nanoseconds : end - _ended;
        _ended = end;
        _next = (end < _next ? _next : end) + whole;
        hub.Mark(++_number, end);
    }

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
        if (!_due)
        {
            return;
        }

        _due = false;
        // What is not saved is not told: after a kill it would have to be taken back.
        if (hub.AnyConnected && (keeper is null || keeper.Commit(observation.EndNanoseconds)))
        {
            hub.Tell(_number, (ulong)_length);
        }
    }
}
