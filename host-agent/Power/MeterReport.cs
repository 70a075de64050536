namespace Keck.Power;

/// <summary>What came out of reading one meter.</summary>
public enum MeterOutcome
{
    /// <summary>Nothing new to say: not due, or a first reading that only starts the count.</summary>
    Silent,

    /// <summary>Energy since the previous reading.</summary>
    Energy,

    /// <summary>Power at this moment.</summary>
    Power,

    /// <summary>No value: <see cref="MeterReport.Problem"/> says why.</summary>
    Absent,
}

/// <summary>Something about a counter that is worth counting.</summary>
public enum MeterIncident
{
    /// <summary>Nothing of note.</summary>
    None,

    /// <summary>The counter passed its range once, and that was undone.</summary>
    Wrapped,

    /// <summary>The counter went back without having wrapped: the span's energy is unknown.</summary>
    Reset,

    /// <summary>The value cannot be true (a sentinel, a jump, garbage) and was not used.</summary>
    Refused,

    /// <summary>So long since the last reading that the counter may have wrapped unseen: the span's energy is unknown.</summary>
    Gap,
}

/// <summary>The result of reading one meter once.</summary>
public struct MeterReport
{
    /// <summary>Which of the members below hold.</summary>
    public MeterOutcome Outcome;

    /// <summary>Energy since the previous reading, µJ.</summary>
    public long Microjoules;

    /// <summary>Power, mW.</summary>
    public long Milliwatts;

    /// <summary>When the value was read, monotonic, ns.</summary>
    public long ReadNanoseconds;

    /// <summary>True where the energy is exact and the span too long or too doubtful to be split over runs.</summary>
    public bool Unattributable;

    /// <summary>How far the truth may lie below the energy, where the source itself was told, 95 %, µJ.</summary>
    public long Below;

    /// <summary>How far above, µJ.</summary>
    public long Above;

    /// <summary>What to count.</summary>
    public MeterIncident Incident;

    /// <summary>Why there is no value. The same instance while the reason stays the same, so that a read allocates nothing.</summary>
    public MeterProblem? Problem;

    /// <summary>Reports energy.</summary>
    public void SetEnergy(long microjoules, long readNanoseconds)
    {
        Outcome = MeterOutcome.Energy;
        Microjoules = microjoules;
        ReadNanoseconds = readNanoseconds;
    }

    /// <summary>Reports power.</summary>
    public void SetPower(long milliwatts, long readNanoseconds)
    {
        Outcome = MeterOutcome.Power;
        Milliwatts = milliwatts;
        ReadNanoseconds = readNanoseconds;
    }

    /// <summary>Reports that there is no value.</summary>
    public void SetAbsent(MeterProblem problem, long readNanoseconds)
    {
        Outcome = MeterOutcome.Absent;
        Problem = problem;
        ReadNanoseconds = readNanoseconds;
    }
}
