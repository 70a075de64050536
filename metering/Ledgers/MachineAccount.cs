namespace Keck.Metering;

/// <summary>One machine's account beside the energies by meter, which lie in the <see cref="AccountBook"/>.</summary>
internal sealed class MachineAccount(string uuid, long series)
{
    internal string Uuid { get; } = uuid;

    /// <summary>Numbers accounts as they are opened: a machine whose account was forgotten gets another.</summary>
    internal long Series { get; } = series;

    /// <summary>The name at the last look; null where never known.</summary>
    internal string? Name { get; set; }

    internal Column<VcpuCell> Vcpus { get; } = new();

    /// <summary>What its threads other than vCPUs used of meters that follow runs, µJ.</summary>
    internal long Overhead { get; set; }

    internal long OverheadPending { get; set; }

    /// <summary>The last tick in which it was in the observation's table.</summary>
    internal long LastTick { get; set; }
}
