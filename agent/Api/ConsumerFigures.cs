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

    /// <summary>Bounds of a part of its active energy: of one meter, CPU, vCPU or role.</summary>
    internal static BoundSample PartBounds(this ConsumerTotals consumer, LedgerSnapshot ledger, long microjoules)
    {
        BoundSample common = default;
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            common.Add(ledger.Meters[meter].Common(consumer.Active[meter]));
        }

        return consumer.Bounds.Part(microjoules, consumer.TotalActive, common);
    }

    /// <summary>Its own part.</summary>
    internal static EnergyFigure ActiveFigure(this ConsumerTotals consumer, LedgerSnapshot ledger) =>
        new(consumer.TotalActive, consumer.Bounds, EnergySources.Of(ledger.Meters, meter => consumer.Active[meter]));

    /// <summary>
    /// Its part of the static energy. Under <see cref="IdlePolicy.Proportional"/> that goes by active energy, and is off as much as that is,
    /// relative; under <see cref="IdlePolicy.Allocated"/> the key is exact, and what is off is the static energy itself.
    /// </summary>
    internal static EnergyFigure StaticFigure(this ConsumerTotals consumer, LedgerSnapshot ledger, IdlePolicy policy)
    {
        long part = consumer.TotalStatic(policy), active = consumer.TotalActive;
        BoundSample bounds = default;
        if (policy == IdlePolicy.Proportional)
        {
            bounds = consumer.Bounds.Along(part, active);
        }
        else if (policy == IdlePolicy.Allocated)
        {
            for (int meter = 0; meter < ledger.Meters.Length; meter++)
            {
                bounds.Add(ledger.Meters[meter].StaticBounds(consumer.Static(policy, meter)));
            }
        }

        return new EnergyFigure(part, bounds, EnergySources.Of(ledger.Meters, meter => consumer.Static(policy, meter)));
    }
}
