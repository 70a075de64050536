namespace Keck.Agent;

/// <summary>A meter's static floor: <c>source</c>, <c>idle</c>, <c>profile</c>, <c>busy</c> or <c>prior</c>, and the prior in words where it decides.</summary>
internal sealed record FloorDocument(string Meter, string Basis, double? Watts, double Uncertainty);
