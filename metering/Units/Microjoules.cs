namespace Keck.Metering;

/// <summary>An amount of energy, in microjoules (1 J = 1,000,000 µJ), the unit of powercap's <c>energy_uj</c>.</summary>
/// <param name="Value">Whole microjoules; a negative amount is a difference, or a visible bug.</param>
public readonly record struct Microjoules(long Value) : IComparable<Microjoules>
{
    /// <summary>No energy: a measured zero, never a stand-in for "unknown".</summary>
    public static Microjoules Zero => default;

    /// <summary>For display and metric output only: joules as a floating-point number.</summary>
    public double Joules => Value / 1e6;

    /// <summary>Adds two energies; throws on overflow.</summary>
    public static Microjoules operator +(Microjoules a, Microjoules b) => new(a.Value + b.Value);

    /// <summary>The difference of two energies; throws on overflow.</summary>
    public static Microjoules operator -(Microjoules a, Microjoules b) => new(a.Value - b.Value);

    /// <summary>Whether one energy is smaller than another.</summary>
    public static bool operator <(Microjoules a, Microjoules b) => a.Value < b.Value;

    /// <summary>Whether one energy is larger than another.</summary>
    public static bool operator >(Microjoules a, Microjoules b) => a.Value > b.Value;

    /// <summary>Whether one energy is at most another.</summary>
    public static bool operator <=(Microjoules a, Microjoules b) => a.Value <= b.Value;

    /// <summary>Whether one energy is at least another.</summary>
    public static bool operator >=(Microjoules a, Microjoules b) => a.Value >= b.Value;

    /// <inheritdoc/>
    public int CompareTo(Microjoules other) => Value.CompareTo(other.Value);

    /// <summary>The amount with its unit, such as <c>1500 µJ</c>.</summary>
    public override string ToString() => $"{Value} µJ";
}
