using System.Buffers.Text;
using Keck.Metering;

namespace Keck.Virt;

/// <summary>What a hypervisor's thread does, by its name (comm, 15 bytes at most).</summary>
internal static class ThreadName
{
    /// <summary>
    /// The role a name tells: QEMU's <c>CPU 3/KVM</c>, <c>CPU 0/TCG</c>, <c>IO iothread1</c> (its <c>mon_iothread</c> is the monitor's),
    /// <c>vhost-4711</c>, Cloud Hypervisor's <c>vcpu0</c>, Firecracker's <c>fc_vcpu 0</c>; Emulator for every other name.
    /// </summary>
    internal static ThreadRole Role(ReadOnlySpan<byte> name, out int vcpu)
    {
        vcpu = 0;
        if (name.StartsWith("CPU "u8) && TryNumber(name[4..], out vcpu, out ReadOnlySpan<byte> rest) && rest.StartsWith("/"u8))
        {
            return ThreadRole.Vcpu;
        }

        if ((name.StartsWith("vcpu"u8) && TryNumber(name[4..], out vcpu, out rest) && rest.IsEmpty)
            || (name.StartsWith("fc_vcpu "u8) && TryNumber(name[8..], out vcpu, out rest) && rest.IsEmpty))
        {
            return ThreadRole.Vcpu;
        }

        vcpu = 0;
        if (name.StartsWith("IO "u8))
        {
            return name.SequenceEqual("IO mon_iothread"u8) ? ThreadRole.Emulator : ThreadRole.Iothread;
        }

        return name.StartsWith("iothread"u8) ? ThreadRole.Iothread
            : name.StartsWith("vhost-"u8) && TryNumber(name[6..], out _, out rest) && rest.IsEmpty ? ThreadRole.Vhost
            : ThreadRole.Emulator;
    }

    /// <summary>Whom a kernel thread serves: <c>vhost-PID</c>, <c>kvm-pit/PID</c>.</summary>
    /// <returns>The pid (or the tid of one of its threads), or 0 for another kernel thread.</returns>
    internal static int Served(ReadOnlySpan<char> name)
    {
        ReadOnlySpan<char> number = name.StartsWith("vhost-") ? name[6..] : name.StartsWith("kvm-pit/") ? name[8..] : [];
        return int.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int pid) ? pid : 0;
    }

    /// <summary>Whether a process by this name may be a hypervisor, or a vsock daemon: worth a look at its command line.</summary>
    internal static bool MayBeHypervisor(string process) =>
        process.StartsWith("qemu-", StringComparison.Ordinal) || process is "kvm" or "firecracker" || process.StartsWith("cloud-hyperviso", StringComparison.Ordinal)
        || process.StartsWith("vhost-device-vs", StringComparison.Ordinal) || process.StartsWith("vhost-user-vsoc", StringComparison.Ordinal);

    /// <summary>Whether a process by this name serves a machine that it shares a pod's cgroup with.</summary>
    internal static bool IsHelper(string process) =>
        process.StartsWith("swtpm", StringComparison.Ordinal) || process is "virtiofsd" or "passt" or "passt.avx2" or "slirp4netns" or "qemu-pr-helper" or "qemu-bridge-hel" || process.StartsWith("vhost-", StringComparison.Ordinal);

    private static bool TryNumber(ReadOnlySpan<byte> text, out int number, out ReadOnlySpan<byte> rest)
    {
        bool found = Utf8Parser.TryParse(text, out number, out int length) && text[0] is >= (byte)'0' and <= (byte)'9';
        rest = found ? text[length..] : [];
        number = found ? number : 0;
        return found;
    }
}
