using System.Text;
using Keck.Metering;
using Keck.Virt.Interop;

namespace Keck.Virt;

/// <summary>
/// What the threads of hypervisors do: by KVM's word, else by name, else by cgroup; everything else in the process is the emulator's.
/// Owned by the tick thread.
/// </summary>
internal sealed class ThreadRoles(string procRoot)
{
    private const int LastAge = 8;
    private const int ReadsPerTick = 512;
    private const int KthreaddTid = 2;

    private readonly FileText _file = new(4096);
    private readonly List<Young> _young = [];

    /// <summary>Threads whose names are looked at again.</summary>
    internal int YoungCount => _young.Count;

    /// <summary>Gives a hypervisor's thread its role, for now: QEMU names a thread just after making it; until then it bears its maker's name, perhaps a vCPU's.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="row">Its row.</param>
    /// <param name="machine">The machine; null when it is gone already.</param>
    internal void Begin(ref ThreadRow thread, int row, Machine? machine)
    {
        bool fresh = thread.Role == ThreadRole.None;
        thread.Role = fresh ? ThreadRole.Emulator : thread.Role;
        if (machine is not null && TryKernelRole(machine, ref thread))
        {
            return;
        }

        if (fresh)
        {
            _young.Add(new Young(row, thread.Tid, thread.StartNanoseconds, 0));
        }
    }

    /// <summary>Puts a kernel thread that serves a machine to that machine.</summary>
    internal void BeginKernel(Observation observation, int row, bool again)
    {
        ref ThreadRow thread = ref observation.ThreadTable[row];
        if (thread.Role == ThreadRole.None && !TryServe(observation, ref thread) && !again && IsUnnamed(thread))
        {
            _young.Add(new Young(row, thread.Tid, thread.StartNanoseconds, 0));
        }
    }

    /// <summary>Looks again at the threads that were born in the last ticks; at a bounded number in one tick.</summary>
    internal void Recheck(Observation observation, MachineInventory inventory)
    {
        int kept = 0;
        int reads = 0;
        for (int i = 0; i < _young.Count; i++)
        {
            Young young = _young[i];
            ref ThreadRow thread = ref observation.ThreadTable[young.Row];
            if (thread.Tid != young.Tid || thread.StartNanoseconds != young.StartNanoseconds)
            {
                continue;
            }

            if (young.Age is 0 or 1 or 2 or 4 or LastAge)
            {
                if (reads >= ReadsPerTick)
                {
                    _young[kept++] = young;
                    continue;
                }

                reads++;
                Look(observation, inventory, ref thread, young.Age);
            }

            if (young.Age < LastAge)
            {
                _young[kept++] = young with { Age = young.Age + 1 };
            }
        }

        _young.RemoveRange(kept, _young.Count - kept);
    }

    private void Look(Observation observation, MachineInventory inventory, ref ThreadRow thread, int age)
    {
        if (_file.ReadThread(procRoot, thread.Pid, thread.Tid, "comm") is not null)
        {
            return;
        }

        ReadOnlySpan<byte> name = _file.Content.TrimEnd((byte)'\n');
        Rename(ref thread, name);
        if (thread.Kernel)
        {
            _ = thread.Role == ThreadRole.None && TryServe(observation, ref thread);
            return;
        }

        Machine? machine = inventory.FindByPid(thread.Pid);
        if (machine is not null && TryKernelRole(machine, ref thread))
        {
            return;
        }

        thread.Role = ThreadName.Role(name, out thread.Vcpu);
        if (thread.Role == ThreadRole.Vcpu && machine is not null && HasVcpu(machine, thread.Vcpu))
        {
            // KVM says that another thread runs this vCPU: the name is still its maker's.
            (thread.Role, thread.Vcpu) = (ThreadRole.Emulator, 0);
        }

        // Without debug-threads=on all threads are called like the program: libvirt's cgroups tell then.
        if (thread.Role == ThreadRole.Emulator && age > 0 && thread.Tid != thread.Pid && machine?.Cgroup is { } own && machine.VcpuThreads.IsEmpty
            && _file.ReadThread(procRoot, thread.Pid, thread.Tid, "cgroup") is null)
        {
            ReadCgroupRole(own, ref thread);
        }
    }

    private void ReadCgroupRole(string own, ref ThreadRow thread)
    {
        Span<char> path = stackalloc char[1024];
        foreach (Range range in _file.Content.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = _file.Content[range];
            int colon = line.LastIndexOf(":/"u8);
            if (colon < 0 || line.Length - colon - 1 > path.Length)
            {
                continue;
            }

            int length = Encoding.UTF8.GetChars(line[(colon + 1)..], path);
            if (MachineCgroup.IsWithin(path[..length], own) && MachineCgroup.TryRole(path[..length], out ThreadRole role, out int vcpu))
            {
                (thread.Role, thread.Vcpu) = (role, vcpu);
                return;
            }
        }
    }

    private static void Rename(ref ThreadRow thread, ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[64];
        if (name.Length <= text.Length && !text[..Encoding.UTF8.GetChars(name, text)].SequenceEqual(thread.Name))
        {
            // QEMU's pool makes and ends workers all the time.
            thread.Name = name.SequenceEqual("worker"u8) ? "worker" : Encoding.UTF8.GetString(name);
        }
    }

    private static bool TryKernelRole(Machine machine, ref ThreadRow thread)
    {
        foreach (VcpuThread vcpu in machine.VcpuThreads)
        {
            if (vcpu.Tid == thread.Tid)
            {
                (thread.Role, thread.Vcpu) = (ThreadRole.Vcpu, vcpu.Vcpu);
                return true;
            }
        }

        return false;
    }

    private static bool HasVcpu(Machine machine, int number)
    {
        foreach (VcpuThread vcpu in machine.VcpuThreads)
        {
            if (vcpu.Vcpu == number)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryServe(Observation observation, ref ThreadRow thread)
    {
        int served = ThreadName.Served(thread.Name);
        ProcessTable processes = observation.ProcessTable;
        int process = served == 0 ? -1 : processes.FindNewest(served);
        if (served != 0 && process < 0)
        {
            // The worker bears the tid of the thread that asked for it, which need not be the leader.
            foreach (ref ThreadRow other in observation.ThreadTable.Rows)
            {
                process = other.Tid == served && !other.Kernel ? other.Process : process;
            }
        }

        if (process < 0 || process == thread.Process || processes[process].Machine < 0 || processes[process].Ended)
        {
            return false;
        }

        processes[thread.Process].LiveThreads--;
        processes[process].LiveThreads++;
        (thread.Process, thread.Role) = (process, ThreadRole.Vhost);
        return true;
    }

    private static bool IsUnnamed(in ThreadRow thread) => thread.Tid != KthreaddTid && thread.Name == "kthreadd";

    private readonly record struct Young(int Row, int Tid, long StartNanoseconds, int Age);
}
