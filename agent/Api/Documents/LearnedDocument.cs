namespace Keck.Agent;

/// <summary>What is taken as known of the meters: the floors now, and how they came about, the oldest first.</summary>
internal sealed record LearnedDocument(DateTime At, FloorDocument[] Floors, AdoptionDocument[] Adoptions);
