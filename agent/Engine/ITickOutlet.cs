using Keck.Metering;

namespace Keck.Agent;

/// <summary>Follows every tick on the loop's own thread: a recorder, a live trace. Must be quick, and must not throw.</summary>
public interface ITickOutlet
{
    /// <summary>The runs of a tick that ends now have been drained: whoever must know the moment (a guest that shares it) is told here.</summary>
    void OnDrained(Observation observation)
    {
    }

    /// <summary>A tick has been attributed and booked; both arguments are filled again at the next tick.</summary>
    void OnTick(Observation observation, TickAttribution attribution);
}
