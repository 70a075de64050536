using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>Who a slot's thread is: its row of the thread table, written anew when the kernel's record changes.</summary>
/// <param name="memory">Where the records lie.</param>
internal sealed class ThreadIdentities(AccountingMemory memory)
{
    private readonly CommCache _names = new();

    /// <summary>Gives the slot's thread its row, and keeps the row up to date; false while it is being written.</summary>
    internal bool TryIdentify(Observation into, int index, ref SlotShadow shadow)
    {
        ref MetaRecord meta = ref memory.Metas[index];
        if (shadow.Row >= 0 && Volatile.Read(ref meta.Generation) == shadow.Generation)
        {
            return true;
        }

        if (!TryRead(ref meta, out MetaRecord copy))
        {
            return false;
        }

        shadow.Generation = copy.Generation;
        string name = _names.Get(copy.Comm);
        if (shadow.Row >= 0)
        {
            ref ThreadRow known = ref into.ThreadTable[shadow.Row];
            if (known.Tid == (int)copy.Tid && known.StartNanoseconds == (long)copy.StartNanoseconds)
            {
                known.Name = name;
                return true;
            }

            // A thread that execed took its leader's tid and start: another identity.
            into.ThreadTable.End(shadow.Row);
        }

        ThreadRow row = new()
        {
            Tid = (int)copy.Tid,
            Pid = (int)copy.ThreadGroup,
            StartNanoseconds = (long)copy.StartNanoseconds,
            ProcessStartNanoseconds = (long)copy.LeaderStartNanoseconds,
            CgroupId = copy.CgroupId,
            Name = name,
            Kernel = (copy.Flags & MetaRecord.KernelThread) != 0,
        };
        shadow.Row = into.ThreadTable.Add(in row);
        return true;
    }

    private static bool TryRead(ref MetaRecord meta, out MetaRecord copy)
    {
        for (int attempt = 0; attempt < AccountingMemory.SeqlockAttempts; attempt++)
        {
            uint generation = Volatile.Read(ref meta.Generation);
            copy = meta;
            Volatile.ReadBarrier();
            if ((generation & 1) == 0 && Volatile.Read(ref meta.Generation) == generation)
            {
                return true;
            }
        }

        copy = default;
        return false;
    }
}
