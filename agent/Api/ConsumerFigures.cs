using Keck.Metering;

namespace Keck.Agent;

/// <summary>A consumer's energies with what they are worth.</summary>
internal static class ConsumerFigures
{
    /// <summary>All its energy under a policy.</summary>
    internal static EnergyFigure Figure(this ConsumerTotals consumer, LedgerSnapshot ledger, IdlePolicy policy)
    {
        EnergyFigure active = consumer.ActiveFigure(ledger), borne = consumer.StaticFigure(ledger, policy);
        BoundSample bounds = active.Bounds;
        bounds.Add(borne.Bounds);
        return new EnergyFigure(active.Microjoules + borne.Microjoules, bounds, active.Sources.With(borne.Sources));
    }

    /// <summary>What the bounds of its parts follow from; costs a look at every meter.</summary>
    internal static Divisible Divide(this ConsumerTotals consumer, LedgerSnapshot ledger)
    {
        BoundSample common = default;
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            common.Add(ledger.Meters[meter].Common(consumer.Active[meter]));
        }

        return new Divisible(consumer.Bounds, common, consumer.TotalActive);
    }

    /// <summary>Bounds of the static energy that it bears of one meter.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="ledger">The ledger.</param>
    /// <param name="policy">Who bears static energy.</param>
    /// <param name="meter">The meter's index.</param>
    /// <param name="active">Bounds of its active energy on this meter.</param>
    internal static BoundSample BorneBounds(this ConsumerTotals consumer, LedgerSnapshot ledger, IdlePolicy policy, int meter, in BoundSample active)
    {
        long borne = consumer.Static(policy, meter);
        if (policy == IdlePolicy.Allocated)
        {
            return ledger.Meters[meter].StaticBounds(borne);
        }

        BoundSample bounds = ledger.Meters[meter].BorneBounds(borne, consumer.Active[meter], active);
        if (consumer.Active[meter] == 0)
        {
            // Shared out by what it used of the other meters.
            bounds.Add(consumer.Bounds.Along(borne, consumer.TotalActive));
        }

        return bounds;
    }

    /// <summary>Its own part.</summary>
    internal static EnergyFigure ActiveFigure(this ConsumerTotals consumer, LedgerSnapshot ledger) =>
        new(consumer.TotalActive, consumer.Bounds, EnergySources.Of(ledger.Meters, meter => consumer.Active[meter]));

    /// <summary>
    /// Its part of the static energy. Under <see cref="IdlePolicy.Proportional"/> that goes by active energy, and is off as much as that is,
    /// relative, and by the meter where that has static energy alone; under <see cref="IdlePolicy.Allocated"/> the key is exact, and what is off
    /// is the static energy itself.
    /// </summary>
    internal static EnergyFigure StaticFigure(this ConsumerTotals consumer, LedgerSnapshot ledger, IdlePolicy policy)
    {
        long part = consumer.TotalStatic(policy);
        BoundSample bounds = policy == IdlePolicy.Proportional ? consumer.Bounds.Along(part, consumer.TotalActive) : default;
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            if (policy == IdlePolicy.Allocated || consumer.Active[meter] == 0)
            {
                bounds.Add(ledger.Meters[meter].StaticBounds(consumer.Static(policy, meter)));
            }
        }

        return new EnergyFigure(part, bounds, EnergySources.Of(ledger.Meters, meter => consumer.Static(policy, meter)));
    }
}
