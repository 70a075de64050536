using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// A machine's cumulative figures by vCPU. <c>Σ Vcpus + Overhead</c> = its <see cref="ConsumerTotals.Active"/> on the meters that
/// follow runs.
/// </summary>
public sealed record MachineTotals
{
    /// <summary>Its UUID, the id of its consumer.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its name; null where never known.</summary>
    public string? Name { get; init; }

    /// <summary>How many vCPUs it is sized with; null where unknown.</summary>
    public int? SizedVcpus { get; init; }

    /// <summary>Its memory, KiB; null where unknown.</summary>
    public long? MemoryKibibytes { get; init; }

    /// <summary>Whether it is there now.</summary>
    public bool Running { get; init; }

    /// <summary>Numbers the accounts of a ledger: within one number the counters never go back.</summary>
    public long Series { get; init; }

    /// <summary>Each vCPU's energy and time.</summary>
    public required ImmutableArray<VcpuTotals> Vcpus { get; init; }

    /// <summary>Energy of its other threads: QEMU's main loop, iothreads, vhost workers, helpers; µJ.</summary>
    public long Overhead { get; init; }
}

/// <summary>One vCPU's cumulative figures.</summary>
/// <param name="Vcpu">Its number, from 0.</param>
/// <param name="Microjoules">Active energy of the meters that follow runs, µJ.</param>
/// <param name="Nanoseconds">Time its thread ran on the host, ns.</param>
public readonly record struct VcpuTotals(int Vcpu, long Microjoules, long Nanoseconds);
