namespace Keck.Agent;

/// <summary>Something that was taken as known: by an <c>idle</c> or <c>busy</c> window, a <c>profile</c>, for <c>signatures</c>, or taken back (<c>undone</c>, <c>forgotten</c>).</summary>
internal sealed record AdoptionDocument(long Id, DateTime At, string Meter, string Cause, string Why, double? BeforeWatts, double? AfterWatts, bool Undone);
