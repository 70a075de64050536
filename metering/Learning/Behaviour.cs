namespace Keck.Metering;

/// <summary>What a consumer's counters look like: a signature learned of a vector loop is worth nothing once it streams from memory.</summary>
internal struct Behaviour
{
    // Another mix: instructions per cycle or misses per cycle differ by more than this factor from what they were, for this long.
    private const double OtherFactor = 1.5;
    private const double PatienceSeconds = 0.3;
    private const double MeanSeconds = 3;

    // Misses below this part of the cycles cost nothing that matters.
    private const double MissFloor = 5e-4;

    private double _instructions;
    private double _cycles;
    private double _misses;

    /// <summary>Instructions per cycle so far; 0 while unknown.</summary>
    internal double Ipc;

    /// <summary>Misses per cycle so far.</summary>
    internal double MissRate;

    /// <summary>How long it has been different, s.</summary>
    internal double OtherSeconds;

    /// <summary>What was added in the tick under way.</summary>
    internal (double Instructions, double Cycles, double Misses) Pending
    {
        readonly get => (_instructions, _cycles, _misses);
        set => (_instructions, _cycles, _misses) = value;
    }

    internal void Add(long instructions, long cycles, long misses)
    {
        _instructions += instructions;
        _cycles += cycles;
        _misses += Math.Max(0, misses);
    }

    /// <summary>Ends a tick; true where the consumer has changed its ways for good.</summary>
    internal bool Close(double seconds)
    {
        (double instructions, double cycles, double misses) = (_instructions, _cycles, _misses);
        (_instructions, _cycles, _misses) = (0, 0, 0);
        if (cycles < 1e5)
        {
            return false;
        }

        double ipc = instructions / cycles, missRate = misses / cycles;
        if (Ipc == 0)
        {
            (Ipc, MissRate) = (ipc, missRate);
            return false;
        }

        bool other = Differ(ipc, Ipc, 0.02) || Differ(missRate, MissRate, MissFloor);
        if (!other)
        {
            double part = Math.Min(1, seconds / MeanSeconds);
            Ipc += (ipc - Ipc) * part;
            MissRate += (missRate - MissRate) * part;
            OtherSeconds = 0;
            return false;
        }

        OtherSeconds += seconds;
        if (OtherSeconds < PatienceSeconds)
        {
            return false;
        }

        (Ipc, MissRate, OtherSeconds) = (ipc, missRate, 0);
        return true;
    }

    private static bool Differ(double a, double b, double floor) =>
        Math.Max(a, floor) > Math.Max(b, floor) * OtherFactor || Math.Max(b, floor) > Math.Max(a, floor) * OtherFactor;
}
