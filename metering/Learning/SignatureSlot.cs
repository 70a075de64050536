namespace Keck.Metering;

/// <summary>Who a signature is of.</summary>
internal struct SignatureSlot
{
    internal bool InUse;

    /// <summary>Whether it has not been looked at what kind of work it does.</summary>
    internal bool Fresh;

    /// <summary>Changes when the slot gets another consumer.</summary>
    internal int Generation;

    /// <summary>The machine's UUID; null for a process outside machines.</summary>
    internal string? Machine;
    internal int MachineIndex;

    /// <summary>The process (for a machine: the first of its processes that was seen).</summary>
    internal int Row;
    internal int Pid;
    internal long StartNanoseconds;

    /// <summary>Its part of what ran, over the last seconds.</summary>
    internal double Share;

    /// <summary>Its amounts in this tick.</summary>
    internal double Amount;

    internal Behaviour Behaviour;

    /// <summary>Whether the consumer is still there.</summary>
    internal readonly bool IsHere(Observation observation)
    {
        if (Machine is not null)
        {
            return observation.Machines.At(MachineIndex) is { Running: true } machine && machine.Uuid == Machine;
        }

        ReadOnlySpan<ProcessRow> processes = observation.ProcessTable.Rows;
        return Row < processes.Length && processes[Row].Pid == Pid && processes[Row].StartNanoseconds == StartNanoseconds && !processes[Row].Ended && processes[Row].Machine < 0;
    }
}
