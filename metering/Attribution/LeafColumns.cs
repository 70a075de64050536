namespace Keck.Metering;

/// <summary>Leaves of energy by member, so that a pass over one member reads nothing else.</summary>
internal sealed class LeafColumns
{
    /// <summary>Weight under the tick's model.</summary>
    internal Column<double> Weights { get; } = new();

    /// <summary>Weight without what has been learned of the owner, his work and the machine.</summary>
    internal Column<double> Plains { get; } = new();

    /// <summary>Weight by time alone: the difference is part of the bounds.</summary>
    internal Column<double> Times { get; } = new();

    /// <summary>A process row, or one of the owners of <see cref="Leaf"/>.</summary>
    internal Column<int> Owners { get; } = new();

    internal int Count => Owners.Count;

    internal void Clear() => Resize(0);

    internal void Resize(int count)
    {
        Weights.Resize(count);
        Plains.Resize(count);
        Times.Resize(count);
        Owners.Resize(count);
    }

    internal void Add(int owner, double weight, double plain, double time)
    {
        Weights.Add() = weight;
        Plains.Add() = plain;
        Times.Add() = time;
        Owners.Add() = owner;
    }
}
