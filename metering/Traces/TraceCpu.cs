namespace Keck.Metering;

/// <summary>Which processor a trace comes from, as in /proc/cpuinfo; null members were not observed.</summary>
/// <param name="Vendor">Such as <c>GenuineIntel</c>.</param>
/// <param name="Family">CPU family.</param>
/// <param name="Model">Model number.</param>
/// <param name="Stepping">Stepping.</param>
/// <param name="Microcode">Microcode revision, such as <c>0xd0003b9</c>.</param>
/// <param name="Name">Model name for people.</param>
public sealed record TraceCpu(string? Vendor, int? Family, int? Model, int? Stepping, string? Microcode, string? Name);
