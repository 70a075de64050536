namespace Keck.Agent;

/// <summary>Every meter found, and the components against the whole machine's meter.</summary>
internal sealed record MeterList(DateTime At, MeterDocument[] Items, Reconciliation? Reconciliation);
