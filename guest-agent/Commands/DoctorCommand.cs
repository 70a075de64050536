using System.CommandLine;
using Keck.Agent;
using Keck.Bpf;
using Keck.Power;
using Keck.VsockProtocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Guest;

/// <summary><c>keck-guest doctor</c>: whether there can be a host, what is missing, and the one command that mends it.</summary>
internal static class DoctorCommand
{
    private const string VsockOfHost = "the host must give the machine a vsock device (libvirt: <vsock model='virtio'><cid auto='yes'/></vsock>)";

    internal static Command Create()
    {
        Command command = new("doctor", "say what was found, what is missing and what mends it");
        SettingFlags settings = new(Settings.Table, command, "channel", "path.procfs", "path.sysfs", "estimate");
        command.SetAction(parsed => settings.Load(parsed) is GuestOptions options ? Run(options, parsed.InvocationConfiguration.Output) : ExitCodes.Usage);
        return command;
    }

    private static int Run(GuestOptions options, TextWriter output)
    {
        output.WriteLine("Host");
        ChannelChoice choice = ChannelChoice.Of(options.Channel);
        (bool ok, string found, string? mend) = Examine(choice.Endpoint, options.Channel.IsAuto ? choice.Why : null);
        Line(output, ok, "channel", found, mend);
        using MeterSet meters = MeterSet.Discover(
            new PowerOptions { SysRoot = options.SysRoot, ProcRoot = options.ProcRoot, Estimate = options.Estimate }, TimeProvider.System, NullLogger.Instance);
        output.WriteLine();
        output.WriteLine("CPU time");
        foreach (CapabilityCheck check in RunSources.Examine(options, meters.Topology, Settings.Table.Program))
        {
            Line(output, check.Ok, check.Name, check.Found, check.Mend);
        }

        output.WriteLine();
        output.WriteLine("Without a host");
        foreach (SourceFinding finding in PowerDoctor.Examine(meters))
        {
            Line(output, finding.Ok, finding.Name, finding.Found, null);
        }

        return ExitCodes.Ok;
    }

    // Looks, and does not dial: the channel is the running agent's.
    private static (bool Ok, string Found, string? Mend) Examine(ChannelEndpoint channel, string? chosenBecause)
    {
        string name = chosenBecause is null ? $"{channel}" : $"{channel}, chosen: {chosenBecause}";
        return channel.Transport switch
        {
            ChannelTransport.Vsock when File.Exists("/dev/vsock") => (true, $"{name}; whether a host agent listens there, the running agent's log says", null),
            ChannelTransport.Vsock => (false, $"{name}: there is no /dev/vsock", $"modprobe vmw_vsock_virtio_transport; {VsockOfHost}"),
            ChannelTransport.VirtioSerial when File.Exists(channel.Path) => (true, $"{name}; whether a host agent listens there, the running agent's log says", null),
            ChannelTransport.VirtioSerial => (false, $"{name}: there is no such port", $"the host must give the machine a virtio-serial channel of the name {ChannelProtocol.SerialPortName}"),
            ChannelTransport.Unix => (File.Exists(channel.Path), $"{name}: {(File.Exists(channel.Path) ? "the socket is there" : "there is no such socket")}", null),
            _ when chosenBecause is not null => (false, $"none: {chosenBecause}; this machine can only be estimated", $"{VsockOfHost}; then modprobe vmw_vsock_virtio_transport, where the kernel has it as a module"),
            _ => (false, "none is configured: this machine can only be estimated", "remove \"channel\" from /etc/keck/guest.json (and KECK_CHANNEL from the environment): auto takes what there is"),
        };
    }

    private static void Line(TextWriter output, bool ok, string name, string found, string? mend)
    {
        output.WriteLine($"  {(ok ? "ok  " : "--  ")}{name,-22} {found}");
        if (!ok && !string.IsNullOrEmpty(mend))
        {
            output.WriteLine($"      {"",-22} mend: {mend}");
        }
    }
}
