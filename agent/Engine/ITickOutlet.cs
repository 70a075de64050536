using Keck.Metering;

namespace Keck.Agent;

/// <summary>Follows every tick on the loop's own thread: a recorder, a live trace. Must be quick, and must not throw.</summary>
public interface ITickOutlet
{
    /// <summary>A tick has been attributed and booked; both arguments are filled again at the next tick.</summary>
    void OnTick(Observation observation, TickAttribution attribution);
}
