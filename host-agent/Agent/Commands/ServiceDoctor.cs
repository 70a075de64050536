using System.Net;
using System.Net.Sockets;
using Keck.Agent.Interop;
using Keck.Bpf;

namespace Keck.Host;

/// <summary>What the service needs beside energy and CPU time: memory of others' processes, places to serve and to keep state, virtual machines.</summary>
internal static class ServiceDoctor
{
    /// <summary>Looks, and changes nothing.</summary>
    internal static IReadOnlyList<CapabilityCheck> Examine(HostOptions options)
    {
        List<CapabilityCheck> checks = [Memory(options.ProcRoot)];
        if (options.State is { } state)
        {
            checks.Add(Folder("state folder", state, "run keeps no counters over restarts there", $"mkdir -p {state}, or --state another"));
        }

        if (options.Socket is { } socket)
        {
            checks.Add(File.Exists(socket)
                ? new("unix socket", true, $"{socket}: an agent serves there, or has left it behind", "")
                : Folder("unix socket", Path.GetDirectoryName(socket)!, $"{socket} cannot be made", "run as a user that may write there, or --socket another"));
        }

        if (options.Listen is { } listen && IPEndPoint.TryParse(listen, out IPEndPoint? address))
        {
            checks.Add(Port(listen, address));
        }

        bool kvm = File.Exists("/dev/kvm");
        checks.Add(new("KVM", true, kvm ? "/dev/kvm is there" : "no /dev/kvm: no virtual machines of KVM run here", ""));
        if (options.Libvirt is not null)
        {
            string[] sockets = ["run/libvirt/libvirt-sock-ro", "run/libvirt/virtqemud-sock-ro"];
            string? found = sockets.Select(name => Path.Combine(options.RootFs, name)).FirstOrDefault(File.Exists);
            checks.Add(new("libvirt", true, found ?? "does not run: virtual machines are named by their command lines", ""));
        }

        return checks;
    }

    // A process's share of memory is in smaps_rollup, which the kernel shows to its owner and to who may trace it.
    private static CapabilityCheck Memory(string procRoot)
    {
        int seen = 0, refused = 0;
        byte[] first = new byte[1];
        foreach (string folder in Directory.Exists(procRoot) ? Directory.EnumerateDirectories(procRoot) : [])
        {
            if (!int.TryParse(Path.GetFileName(folder), out _))
            {
                continue;
            }

            try
            {
                using FileStream rollup = new(Path.Combine(folder, "smaps_rollup"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                _ = rollup.Read(first);
                seen++;
            }
            catch (UnauthorizedAccessException)
            {
                refused++;
            }
            catch (IOException)
            {
                // A kernel thread has no memory of its own; or the process has ended.
            }
        }

        if (refused == 0)
        {
            return new("memory of processes", true, $"PSS of {seen} processes can be read", "");
        }

        bool root = Environment.IsPrivilegedProcess;
        return new(
            "memory of processes",
            false,
            $"PSS of {refused} of {seen + refused} processes may not be read{(root ? ", by root neither" : "")}: their part of the memory's energy is unattributed",
            root ? "" : "run as root, or with CAP_SYS_PTRACE");
    }

    private static CapabilityCheck Folder(string name, string folder, string lost, string mend)
    {
        string nearest = folder;
        while (!Path.Exists(nearest) && Path.GetDirectoryName(nearest) is { } parent)
        {
            nearest = parent;
        }

        bool isFolder = Directory.Exists(nearest), writable = isFolder && LibC.Access(nearest, LibC.MayWrite) == 0;
        return new(name, writable, writable ? folder : $"{nearest} {(isFolder ? "may not be written to" : "is no folder")}: {lost}", writable ? "" : mend);
    }

    private static CapabilityCheck Port(string listen, IPEndPoint address)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            return new("address", true, $"{listen} is free", "");
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return new("address", true, $"{listen} is taken: an agent serves there already, or another program does", "");
        }
        catch (SocketException e)
        {
            return new("address", false, $"{listen}: {e.Message}", "--listen another, or none");
        }
    }
}
