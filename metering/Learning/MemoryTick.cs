namespace Keck.Metering;

/// <summary>What all meters of memory said in a tick.</summary>
internal struct MemoryTick
{
    private double _ownSquare;
    private double _lateSquare;

    /// <summary>How many were read.</summary>
    internal int Meters { get; private set; }

    /// <summary>The first of them.</summary>
    internal int First { get; private set; }

    /// <summary>Their active energy, µJ.</summary>
    internal double Active { get; private set; }

    /// <summary>What it is off by.</summary>
    internal readonly LearningNoise Noise => new(Math.Sqrt(_ownSquare), Math.Sqrt(_lateSquare));

    internal void Add(int meter, double active, in LearningNoise noise)
    {
        First = Meters == 0 ? meter : First;
        Meters++;
        Active += active;
        _ownSquare += noise.Own * noise.Own;
        _lateSquare += noise.Late * noise.Late;
    }
}
