namespace Keck.Metering;

/// <summary>
/// What kind of work a thread does, by its instructions per cycle and misses: a place on a coarse grid, between four of its points. What
/// one consumer shows of a kind is worth something for all that look alike.
/// </summary>
internal struct WorkKind
{
    /// <summary>Points of the grid.</summary>
    internal const int Count = Columns * Rows;

    // log₂ of instructions per cycle from a quarter to 4; half of log₂ of misses per 1,000 instructions from 1/16 to 16. Beyond is as at the edge.
    private const int Columns = 5;
    private const int Rows = 5;
    private const double LeastX = -2;
    private const double LeastY = -2;
    private const double NoMisses = 0.02;

    // Kinds that lie nearer than this cost much the same.
    private const double Nearness = 0.7;

    private const double Bend = 0.3435;
    private const long ExponentMask = 0x7ff;
    private const int ExponentBias = 1023;
    private const int MantissaBits = 52;
    private const long MantissaMask = (1L << MantissaBits) - 1;
    private const long One = (long)ExponentBias << MantissaBits;

    private double _x;
    private double _y;

    /// <summary>The grid's point below and to the left of it; -1 for a thread that tells nothing of itself.</summary>
    internal int Point;

    /// <summary>How far two points of the grid cost alike, 0 to 1.</summary>
    internal static double Likeness(int a, int b)
    {
        double x = (a % Columns) - (b % Columns), y = (a / Columns) - (b / Columns);
        return Math.Exp(-((x * x) + (y * y)) / (2 * Nearness * Nearness));
    }

    /// <summary>The kind of a thread's work in a tick.</summary>
    internal static WorkKind Of(in ThreadSample thread)
    {
        if (thread.Instructions < MixPlace.LeastInstructions || thread.Cycles <= 0 || thread.LlcMisses < 0)
        {
            return new WorkKind { Point = -1 };
        }

        double instructions = Logarithm(thread.Instructions);
        double x = Math.Clamp(instructions - Logarithm(thread.Cycles) - LeastX, 0, Columns - 1);
        double y = Math.Clamp(((Logarithm((thread.LlcMisses * 1e3) + (thread.Instructions * NoMisses)) - instructions) / 2) - LeastY, 0, Rows - 1);
        int column = Math.Min((int)x, Columns - 2), row = Math.Min((int)y, Rows - 2);
        return new WorkKind { Point = (row * Columns) + column, _x = x - column, _y = y - row };
    }

    /// <summary>What the kind costs more than the model says, relative, between its four points.</summary>
    internal readonly double Of(ReadOnlySpan<double> points) =>
        Point < 0 ? 0
        : ((1 - _y) * (((1 - _x) * points[Point]) + (_x * points[Point + 1]))) + (_y * (((1 - _x) * points[Point + Columns]) + (_x * points[Point + Columns + 1])));

    /// <summary>Adds an amount of this kind of work to its four points.</summary>
    internal readonly void AddTo(Span<double> points, double amount)
    {
        if (Point >= 0)
        {
            double above = amount * _y, below = amount - above;
            points[Point] += below * (1 - _x);
            points[Point + 1] += below * _x;
            points[Point + Columns] += above * (1 - _x);
            points[Point + Columns + 1] += above * _x;
        }
    }

    // log₂, a parabola between powers of two: exact there, 0.01 off at most, the same on every machine, and cheap.
    private static double Logarithm(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        double part = BitConverter.Int64BitsToDouble((bits & MantissaMask) | One) - 1;
        return ((bits >> MantissaBits) & ExponentMask) - ExponentBias + (part * (1 + (Bend * (1 - part))));
    }
}
