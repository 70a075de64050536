using System.Diagnostics;
using System.Numerics;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>Slots that no thread has, and the kernel's ring of them: a bounded stock, lowest numbers first, so that the scan stays short.</summary>
internal sealed class FreeSlots
{
    private readonly AccountingMemory _memory;
    private readonly Column<int> _ended = new();
    private readonly ulong[] _free;
    private readonly int _target;
    private int _hint;

    internal FreeSlots(AccountingMemory memory)
    {
        _memory = memory;
        int slots = memory.Slots.Length;
        _free = new ulong[(slots + 63) / 64];
        for (int slot = 1; slot < slots; slot++)
        {
            _free[slot >> 6] |= 1UL << (slot & 63);
        }

        _target = Math.Min(slots - 1, Math.Max(1024, slots / 4));
        Refill();
    }

    /// <summary>The highest slot that was ever given to the kernel.</summary>
    internal int Highest { get; private set; }

    /// <summary>Slots that ended in this drain.</summary>
    internal int EndedCount => _ended.Count;

    /// <summary>Nobody will look at the slot again: it is free from the end of this drain on.</summary>
    internal void End(int slot) => _ended.Add() = slot;

    /// <summary>Frees what ended and fills the ring up.</summary>
    internal void Recycle(SlotShadows shadows)
    {
        Span<SlotRecord> slots = _memory.Slots;
        foreach (int slot in _ended.Items)
        {
            shadows.Slots[slot] = default;
            slots[slot].State = SlotState.Free;
            _free[slot >> 6] |= 1UL << (slot & 63);
            _hint = Math.Min(_hint, slot >> 6);
        }

        _ended.Clear();
        Refill();
    }

    private void Refill()
    {
        Span<ulong> ring = _memory.Ring;
        ref GlobalsRecord globals = ref _memory.Globals;
        ulong tail = globals.Tail;
        long missing = _target - (long)(tail - Volatile.Read(ref globals.Head));
        while (missing > 0 && _hint < _free.Length)
        {
            ref ulong word = ref _free[_hint];
            if (word == 0)
            {
                _hint++;
                continue;
            }

            int slot = (_hint << 6) + BitOperations.TrailingZeroCount(word);
            word &= word - 1;
            Highest = Math.Max(Highest, slot);
            ring[(int)(tail & (ulong)(ring.Length - 1))] = (ulong)slot;
            tail++;
            missing--;
        }

        Debug.Assert(Highest < _memory.Slots.Length, "a slot that does not exist");
        Volatile.Write(ref globals.Tail, tail);
    }
}
