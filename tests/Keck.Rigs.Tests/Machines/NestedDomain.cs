namespace Keck.Rigs.Tests;

/// <summary>A KVM guest in L1: a libvirt domain with the kernel and the initramfs of rig (b) and a real vhost-vsock device.</summary>
internal sealed class NestedDomain(NestedRig host, DomainOptions options)
{
    /// <summary>libvirt's name.</summary>
    internal string Name => options.Name;

    internal Guid Uuid => options.Uuid;

    /// <summary>The serial console, a file in L1.</summary>
    internal string ConsolePath => $"/run/rig/{Name}.console";

    private string ChannelPath => $"/run/rig/{Name}.rig";

    /// <summary>Defines and starts the domain; returns while it boots.</summary>
    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        string image = Path.GetTempFileName();
        string xml = Path.GetTempFileName();
        try
        {
            Initramfs content = new();
            options.Content?.Invoke(content);
            content.AddText("/etc/rig/start", options.Start + "\n").Write(Preparation.Made("guest", "base.img"), image);
            await host.CopyInAsync(image, ImagePath, executable: false, cancellationToken);
            await File.WriteAllTextAsync(xml, Xml(), cancellationToken);
            await host.CopyInAsync(xml, $"/var/lib/rig/{Name}.xml", executable: false, cancellationToken);
        }
        finally
        {
            File.Delete(image);
            File.Delete(xml);
        }

        _ = (await host.RunAsync($"virsh -q define /var/lib/rig/{Name}.xml && virsh -q start {Name}", cancellationToken)).Succeeded();
    }

    /// <summary>Waits until it is ready, as <see cref="GuestRig.StartAsync"/> does.</summary>
    internal async Task ReadyAsync(CancellationToken cancellationToken)
    {
        CommandResult waited = await host.RunAsync(
            $"until grep -aq ^RIG-READY {ConsolePath}; do virsh -q domstate {Name} | grep -q running || break; sleep 0.5; done; cat {ConsolePath}; ! grep -a ^RIG-FAILED {ConsolePath}",
            cancellationToken);
        if (!waited.Succeeded().Contains("RIG-READY", StringComparison.Ordinal))
        {
            throw new RigException($"{Name} did not get ready: {waited.Output}");
        }
    }

    /// <summary>Runs a command in the domain as root.</summary>
    internal Task<CommandResult> RunAsync(string command, CancellationToken cancellationToken) =>
        host.RunAsync($"rig-agent run {ChannelPath} {Shell.Quote(command)}", cancellationToken);

    /// <summary>Stops it as pulling the plug does, and forgets it.</summary>
    internal async Task DestroyAsync(CancellationToken cancellationToken) =>
        _ = (await host.RunAsync($"virsh -q destroy {Name}; virsh -q undefine {Name}", cancellationToken)).Succeeded();

    private string ImagePath => $"/var/lib/rig/{Name}.img";

    // Sockets and console are in a folder of their own that QEMU's user may write; a path of its own also keeps libvirt's choice short.
    private string Xml() => $"""
        <domain type='kvm'>
          <name>{Name}</name><uuid>{Uuid}</uuid>
          {(options.Metadata.Length > 0 ? $"<metadata>{options.Metadata}</metadata>" : "")}
          <memory unit='MiB'>{options.MemoryMegabytes}</memory><vcpu>{options.Cpus}</vcpu>
          <os>
            <type arch='x86_64' machine='pc'>hvm</type>
            <kernel>/var/lib/rig/vmlinuz</kernel><initrd>{ImagePath}</initrd><cmdline>console=ttyS0 quiet panic=-1</cmdline>
          </os>
          <features><acpi/></features>
          <cpu mode='host-passthrough' check='none' migratable='off'/>
          <on_reboot>restart</on_reboot>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <serial type='file'><source path='{ConsolePath}'/><target port='0'/></serial>
            <channel type='unix'><source mode='bind' path='{ChannelPath}'/><target type='virtio' name='org.keck.rig.0'/></channel>
            {(options.EnergyPort ? "<channel type='unix'><target type='virtio' name='org.keck.energy.0'/></channel>" : "")}
            <vsock model='virtio'><cid auto='yes'/></vsock>
            <memballoon model='none'/>
          </devices>
        </domain>
        """;
}
