using Keck.Metering;

namespace Keck.Bpf;

/// <summary>The running accounting, or why there is none.</summary>
/// <param name="Source">The source; null when absent. The caller disposes it.</param>
/// <param name="Reason">Why it is absent; meaningless while there is a source.</param>
/// <param name="Message">One sentence for a person: what is missing and what to do; empty while there is a source.</param>
/// <param name="Detail">What libbpf and the verifier said; for <c>doctor</c>, may be long.</param>
public sealed record BpfStart(BpfRunSource? Source, Absence Reason, string Message, string Detail);
