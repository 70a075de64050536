namespace Keck.Host.Tests;

/// <summary>Tests that look at the whole process's memory: others' must not be in it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    internal const string Name = "alone";
}
