namespace Keck.Bpf.Tests;

/// <summary>Tests that load the machine run one after the other.</summary>
[CollectionDefinition("kernel", DisableParallelization = true)]
public sealed class KernelCollection;
