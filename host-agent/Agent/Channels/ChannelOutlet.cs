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
    private const int SweepEvery = 16;
    private ulong _number = number;
    private long _ended = long.MinValue;
    private long _length;
    private bool _due;

    /// <summary>The number of the last interval that a state was saved with; 0 for a new one.</summary>
    internal static ulong NumberOf(ResumedState state) =>
        state.Saved is { } saved && saved.TryGetProperty("interval"u8, out JsonElement value) && value.TryGetUInt64(out ulong known) ? known : 0;

    /// <summary>Writes the number of the last interval.</summary>
    internal void Write(Utf8JsonWriter json) => json.WriteNumber("interval"u8, _number);

    /// <inheritdoc/>
    public void OnDrained(Observation observation)
    {
        // Half a tick early is nearer than half a tick late.
        long end = observation.EndNanoseconds, least = (long)interval.TotalNanoseconds - (observation.Length.Nanoseconds / 2);
        _due = observation.Tick > 0 && (_ended == long.MinValue || end - _ended >= least);
        if (!_due)
        {
            return;
        }

        _length = _ended == long.MinValue ? observation.Length.Nanoseconds : end - _ended;
        _ended = end;
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
        if (_number % SweepEvery == 0)
        {
            hub.Sweep();
        }

        // What is not saved is not told: after a kill it would have to be taken back.
        if (hub.AnyConnected && (keeper is null || keeper.Commit(observation.EndNanoseconds)))
        {
            hub.Tell(_number, (ulong)_length);
        }
    }
}
