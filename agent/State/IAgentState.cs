using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// What the outlets may ask of a running agent. Every answer is an immutable value taken at the moment of the call;
/// asking changes nothing; only a scrape tells that it has shown who had ended. Called from many threads.
/// </summary>
public interface IAgentState
{
    /// <summary>The ledger at the end of the last tick; <see cref="LedgerSnapshot.Empty"/> before the first.</summary>
    LedgerSnapshot Ledger();

    /// <summary>Tells that a scrape has shown this snapshot: processes that had ended by then need not be kept for it.</summary>
    void MarkSeen(LedgerSnapshot shown);

    /// <summary>Every meter found, selected or not, working or not.</summary>
    ImmutableArray<MeterReport> Meters();

    /// <summary>The components against the whole machine's meter; null where no such meter is read.</summary>
    Reconciliation? Reconciliation();

    /// <summary>What is known of a virtual machine beside its energy; null where nobody knows anything.</summary>
    MachineFacts? Machine(string uuid) => null;

    /// <summary>Connections of guests that were not let in or let go for a fault, by why; empty where none are served.</summary>
    ImmutableArray<(string Reason, long Count)> ChannelRefusals() => [];

    /// <summary>The live threads of a process; what each used since this agent started.</summary>
    ImmutableArray<ThreadTotals> Threads(int pid) => [];

    /// <summary>The static floor of each attributed meter, and what it goes by.</summary>
    ImmutableArray<FloorFigure> Floors() => [];

    /// <summary>What the attribution came to take as known, the oldest first; the last ones.</summary>
    ImmutableArray<AdoptionEntry> Adoptions() => [];

    /// <summary>How far apart a meter's energy and the runs of a tick were read, s: the largest of the last ten seconds and more; null where unknown.</summary>
    double? ReadSkewSeconds(string meter) => null;

    /// <summary>What does not change from tick to tick, and the profile in force.</summary>
    NodeFacts Node();

    /// <summary>What the agent itself costs.</summary>
    SelfFacts Self();

    /// <summary>How well the run source sees.</summary>
    RunSourceFacts Runs();

    /// <inheritdoc cref="Attributor.HeldWithoutOwner"/>
    long? HeldWithoutOwner() => null;

    /// <summary>The phases of the last tick and how long each took, in the order of the loop.</summary>
    ImmutableArray<TickPhase> Phases();

    /// <summary>Why the agent is not ready to be asked, in words; empty once the first tick is attributed.</summary>
    ImmutableArray<string> NotReady();
}
