namespace Keck.Bpf;

/// <summary>How much kernel memory the accounting may take. Sizes are in docs/bpf.md.</summary>
public enum BpfProfile
{
    /// <summary>About 1,000 threads.</summary>
    Minimal,

    /// <summary>About 10,000 threads.</summary>
    Standard,

    /// <summary>About 100,000 threads.</summary>
    Full,
}
