using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>A machine's account, as the host agent shows it.</summary>
internal sealed record NestedMachineLook
{
    /// <summary>The account's number in the ledger's epoch: another one counts from zero.</summary>
    internal required long Series { get; init; }

    /// <summary>The guest's counters before they are rounded down for it, µJ: each vCPU, overhead, memory.</summary>
    internal required long[] Counters { get; init; }

    internal required bool Connected { get; init; }

    /// <summary>Connections that greeted, since this host agent began.</summary>
    internal required long Connections { get; init; }

    internal double? Ack { get; init; }

    internal double? Drain { get; init; }

    internal double? Attributed { get; init; }

    /// <summary>All of them, µJ.</summary>
    internal long Total => Counters.Sum();

    /// <summary>All of them as the guest sees them, in whole mJ, µJ.</summary>
    internal long Told => Counters.Sum(static counter => counter / 1000 * 1000);

    internal static NestedMachineLook Read(JsonElement document)
    {
        JsonElement machine = document.GetProperty("machine");
        JsonElement? channel = machine.TryGetProperty("channel", out JsonElement known) ? known : null;
        long[] vcpus = [.. machine.GetProperty("vcpus").EnumerateArray().Select(static vcpu => vcpu.GetProperty("energyMicrojoules").GetInt64())];
        Assert.Equal(machine.GetProperty("vcpusMicrojoules").GetInt64(), vcpus.Sum());
        return new NestedMachineLook
        {
            Series = machine.GetProperty("series").GetInt64(),
            Counters = [.. vcpus, machine.GetProperty("overheadMicrojoules").GetInt64(), machine.GetProperty("dramMicrojoules").GetInt64()],
            Connected = channel?.GetProperty("connected").GetBoolean() == true,
            Connections = channel?.GetProperty("connections").GetInt64() ?? 0,
            Ack = Seconds(channel, "ackSeconds"),
            Drain = Seconds(channel, "drainSeconds"),
            Attributed = Seconds(channel, "attributedSeconds"),
        };
    }

    private static double? Seconds(JsonElement? channel, string name) =>
        channel is { } there && there.TryGetProperty(name, out JsonElement seconds) ? seconds.GetDouble() : null;
}
