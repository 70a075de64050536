namespace Keck.Metering;

/// <summary>One live thread's cumulative figures, of the meters that follow runs.</summary>
public record struct ThreadTotals
{
    /// <summary>Thread id.</summary>
    public int Tid { get; init; }

    /// <summary>Start since boot, ns.</summary>
    public long StartNanoseconds { get; init; }

    /// <summary>The kernel's comm.</summary>
    public string? Name { get; init; }

    /// <summary>Its part in a machine.</summary>
    public ThreadRole Role { get; init; }

    /// <summary>Active energy, µJ.</summary>
    public long Microjoules { get; set; }

    /// <summary>CPU time, ns.</summary>
    public long CpuNanoseconds { get; set; }
}
