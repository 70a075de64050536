namespace Keck.Metering;

/// <summary>Finds the kinds of work in a commissioning run: whoever is near to one that is known belongs to it, others begin their own.</summary>
internal sealed class MixFinder
{
    /// <summary>Work that says nothing of itself.</summary>
    internal const int None = -1;

    /// <summary>Kinds at most; later ones belong to the nearest.</summary>
    internal const int Most = 24;

    // A quarter more instructions per cycle are another kind, or half as many misses again.
    private const double Radius = 0.3;

    // A kind's place is the mean of what belonged to it first; it does not move for ever.
    private const int MostWeight = 50;

    private readonly List<(MixPlace Place, int Count)> _found = [];

    internal int Count => _found.Count;

    internal MixPlace Place(int mix) => _found[mix].Place;

    /// <summary>The kind that a thread's tick belongs to, or <see cref="None"/>.</summary>
    internal int Find(in ThreadSample thread)
    {
        if (!MixPlace.TryOf(thread, out MixPlace place))
        {
            return None;
        }

        int nearest = None;
        double least = double.MaxValue;
        for (int mix = 0; mix < _found.Count; mix++)
        {
            double square = _found[mix].Place.SquareTo(place);
            if (square < least)
            {
                (least, nearest) = (square, mix);
            }
        }

        if (nearest != None && (least < Radius * Radius || _found.Count >= Most))
        {
            (MixPlace at, int count) = _found[nearest];
            double part = 1.0 / (count + 1);
            _found[nearest] = (new MixPlace(at.X + ((place.X - at.X) * part), at.Y + ((place.Y - at.Y) * part)), Math.Min(count + 1, MostWeight));
            return nearest;
        }

        _found.Add((place, 1));
        return _found.Count - 1;
    }
}
