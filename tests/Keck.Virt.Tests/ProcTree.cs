using System.Text;

namespace Keck.Virt.Tests;

/// <summary>A procfs and a sysfs of our making in a temporary folder.</summary>
internal sealed class ProcTree : IDisposable
{
    internal string Root { get; } = Directory.CreateTempSubdirectory("keck-machines-").FullName;

    internal string Proc => Path.Combine(Root, "proc");

    internal string Sys => Path.Combine(Root, "sys");

    internal ProcTree() => Directory.CreateDirectory(Proc);

    internal VirtOptions Options => new() { ProcRoot = Proc, SysRoot = Sys, HostId = "host-a", ScanInterval = TimeSpan.FromMilliseconds(500) };

    internal ProcTree Process(int pid, string comm, string[] argv, string cgroup = "/", int parent = 1, long startTicks = 1000)
    {
        Write($"{pid}/stat", $"{pid} ({comm}) S {parent} 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 {startTicks} 1 1 18446744073709551615\n");
        Write($"{pid}/cmdline", string.Concat(argv.Select(argument => argument + '\0')));
        Write($"{pid}/cgroup", cgroup.Contains("::", StringComparison.Ordinal) ? cgroup : $"0::{cgroup}\n");
        return Thread(pid, pid, comm);
    }

    internal ProcTree Thread(int pid, int tid, string comm, string? cgroup = null)
    {
        Write($"{pid}/task/{tid}/comm", comm + "\n");
        Write($"{pid}/task/{tid}/cgroup", $"0::{cgroup ?? "/"}\n");
        return this;
    }

    internal ProcTree KvmVcpu(int pid, int vcpu, int tid)
    {
        string directory = Path.Combine(Sys, $"kernel/debug/kvm/{pid}-12/vcpu{vcpu}");
        _ = Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "pid"), $"{tid}\n");
        return this;
    }

    internal void KvmFile(int pid, string name, string text) => File.WriteAllText(Path.Combine(Sys, $"kernel/debug/kvm/{pid}-12/{name}"), text);

    internal void End(int pid)
    {
        Directory.Delete(Path.Combine(Proc, $"{pid}"), recursive: true);
        string kvm = Path.Combine(Sys, $"kernel/debug/kvm/{pid}-12");
        if (Directory.Exists(kvm))
        {
            Directory.Delete(kvm, recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private void Write(string path, string text)
    {
        string target = Path.Combine(Proc, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.WriteAllText(target, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }
}
