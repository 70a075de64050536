using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// What work costs by its instruction mix: between known mixes by their nearness, beyond them as the nearest. A grid, made once, so
/// that a thread costs two logarithms and one look-up.
/// </summary>
internal sealed class MixTable
{
    // log₂ IPC from 1/64 to 8; half of log₂ of misses per 1,000 instructions from 0.016 to 1,000.
    private const double LeastX = -6;
    private const double LeastY = -3;
    private const int StepsPerUnit = 16;
    private const int Columns = 9 * StepsPerUnit;
    private const int Rows = 8 * StepsPerUnit;

    // At a known mix's own place its own factor counts, not its neighbours'.
    private const double Nearness = 0.01;

    // Up to here work is of a known kind, from there on it is none.
    private const double Known = 0.4;
    private const double Unknown = 0.8;

    private readonly (float Energy, float Memory, float Novelty)[] _grid = new (float, float, float)[Columns * Rows];

    internal MixTable(ImmutableArray<InstructionMix> mixes)
    {
        MixPlace[] places = [.. mixes.Select(mix => MixPlace.Of(mix.InstructionsPerCycle, mix.MissesPerKiloInstruction))];
        for (int cell = 0; cell < _grid.Length; cell++)
        {
            MixPlace at = new(LeastX + ((cell % Columns) + 0.5) / StepsPerUnit, LeastY + ((cell / Columns) + 0.5) / StepsPerUnit);
            double sum = 0, energy = 0, memory = 0, nearest = double.MaxValue;
            for (int i = 0; i < places.Length; i++)
            {
                double square = places[i].SquareTo(at) + Nearness, weight = 1 / (square * square);
                nearest = Math.Min(nearest, square);
                sum += weight;
                energy += weight * mixes[i].EnergyFactor;
                memory += weight * mixes[i].MemoryFactor;
            }

            _grid[cell] = ((float)(energy / sum), (float)(memory / sum), (float)Math.Clamp((Math.Sqrt(nearest) - Known) / (Unknown - Known), 0, 1));
        }
    }

    /// <summary>Factors on the model's energy and on memory's, 1 where the counts say nothing; and how far the work is from any kind that is known, 0 to 1.</summary>
    internal (double Energy, double Memory, double Novelty) Factors(in ThreadSample thread)
    {
        if (!MixPlace.TryOf(thread, out MixPlace place))
        {
            return (1, 1, 0);
        }

        int column = Math.Clamp((int)((place.X - LeastX) * StepsPerUnit), 0, Columns - 1), row = Math.Clamp((int)((place.Y - LeastY) * StepsPerUnit), 0, Rows - 1);
        return _grid[(row * Columns) + column];
    }
}
