using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// What a message must say to be of use, whoever sent it. A message that breaks a rule is a fault of its sender, and costs it the
/// connection; a field that is not there and need not be is unknown.
/// </summary>
public static class MessageRules
{
    /// <summary>What is wrong with a message in a few words, or null.</summary>
    public static string? Fault(IMessage message) => message switch
    {
        Hello hello => Fault(hello),
        Welcome welcome => Fault(welcome),
        Mark mark => mark.HasInterval ? null : "a Mark without its interval",
        Budget budget => Fault(budget),
        Ack ack => !ack.HasInterval ? "an Ack without its interval" : ack.BusyNanoseconds.Count > ChannelProtocol.MaxVcpus ? "an Ack for too many CPUs" : null,
        Usage usage => Fault(usage),
        Goodbye goodbye => Text(goodbye.Detail, "detail"),
        _ => "no message of the channel",
    };

    private static string? Fault(Hello hello)
    {
        if (!hello.HasLowestVersion || !hello.HasHighestVersion || hello.LowestVersion > hello.HighestVersion)
        {
            return "a Hello without a range of versions";
        }

        if (hello.Vcpus > ChannelProtocol.MaxVcpus)
        {
            return "a Hello of too many vCPUs";
        }

        return Epoch(hello.HasGuestEpoch, hello.GuestEpoch, "guest_epoch")
            ?? Text(hello.AgentVersion, "agent_version") ?? Text(hello.BootId, "boot_id") ?? Text(hello.NameClaim, "name_claim");
    }

    private static string? Fault(Welcome welcome)
    {
        if (!welcome.HasVersion || !welcome.HasHostEpoch)
        {
            return "a Welcome without version or host_epoch";
        }

        if (welcome.Vcpus > ChannelProtocol.MaxVcpus)
        {
            return "a Welcome of too many vCPUs";
        }

        return Epoch(has: true, welcome.HostEpoch, "host_epoch") ?? Text(welcome.MachineUuid, "machine_uuid") ?? Text(welcome.MachineName, "machine_name");
    }

    private static string? Fault(Budget budget)
    {
        if (!budget.HasInterval)
        {
            return "a Budget without its interval";
        }

        if (budget.VcpuActive.Count > ChannelProtocol.MaxVcpus)
        {
            return "a Budget of too many vCPUs";
        }

        foreach (WireFigure figure in budget.VcpuActive)
        {
            if (Figure(figure) is { } fault)
            {
                return fault;
            }
        }

        return Figure(budget.OverheadActive) ?? Figure(budget.DramActive) ?? Figure(budget.PackageStatic) ?? Figure(budget.DramStatic) ?? Figure(budget.Gpu);
    }

    private static string? Fault(Usage usage)
    {
        if (!usage.HasSeq || usage.Top.Count > ChannelProtocol.MaxUsageLines || usage.Gpus.Count > ChannelProtocol.MaxGpus)
        {
            return "a Usage without its number, or with too many lines";
        }

        foreach (WireUsage line in usage.Top)
        {
            if ((Figure(line.Energy) ?? Text(line.Name, "name") ?? Text(line.Namespace, "namespace") ?? Text(line.PodUid, "pod_uid") ?? Text(line.ContainerId, "container_id")) is { } fault)
            {
                return fault;
            }
        }

        foreach (WireGpuClaim claim in usage.Gpus)
        {
            if ((Figure(claim.Energy) ?? Text(claim.Device, "device")) is { } fault)
            {
                return fault;
            }
        }

        return Figure(usage.Rest);
    }

    private static string? Figure(WireFigure? figure)
    {
        if (figure is null)
        {
            return null;
        }

        // Receivers count in signed 64 bits.
        if (figure.EnergyMicrojoules > long.MaxValue || figure.LowMicrojoules > long.MaxValue || figure.HighMicrojoules > long.MaxValue)
        {
            return "an energy above 2^63 - 1 µJ";
        }

        return (figure.HasLowMicrojoules && figure.LowMicrojoules > (figure.HasEnergyMicrojoules ? figure.EnergyMicrojoules : 0))
            || (figure.HasHighMicrojoules && (!figure.HasEnergyMicrojoules || figure.HighMicrojoules < figure.EnergyMicrojoules))
            ? "an energy outside its bounds"
            : null;
    }

    private static string? Epoch(bool has, ByteString epoch, string field) =>
        has && epoch.Length != ChannelProtocol.EpochBytes ? $"{field} is not of {ChannelProtocol.EpochBytes} bytes" : null;

    // Texts of the other side end up in logs and on terminals.
    private static string? Text(string text, string field)
    {
        if (text.Length > ChannelProtocol.MaxText)
        {
            return $"{field} is longer than {ChannelProtocol.MaxText}";
        }

        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                return $"{field} holds control characters";
            }
        }

        return null;
    }
}
