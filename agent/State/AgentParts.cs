namespace Keck.Agent;

/// <summary>Everything the outlets show: the agent's state, names, history and live trace.</summary>
/// <param name="State">The running agent.</param>
/// <param name="Names">Names of containers and pods.</param>
/// <param name="History">The ring store that the engine feeds.</param>
/// <param name="Time">Wall and monotonic clock.</param>
/// <param name="Trace">The live trace; null where the agent offers none.</param>
public sealed record AgentParts(IAgentState State, IWorkloadNames Names, HistoryStore History, TimeProvider Time, ITraceFeed? Trace);
