namespace Keck.Bpf;

/// <summary>One line of what a source needs, and whether it is here.</summary>
/// <param name="Name">What is needed, such as <c>CAP_BPF</c>.</param>
/// <param name="Ok">Whether it is here.</param>
/// <param name="Found">What was found, in words.</param>
/// <param name="Mend">The one command or setting that mends it; empty where nothing is to be mended.</param>
public readonly record struct CapabilityCheck(string Name, bool Ok, string Found, string Mend);
