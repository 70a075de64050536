using System.Numerics;

namespace Keck.Bpf;

/// <summary>What has been reported so far, by slot.</summary>
/// <param name="capacity">Slots there are.</param>
internal sealed class SlotShadows(int capacity)
{
    /// <summary>By slot, as far as slots have been given out.</summary>
    internal SlotShadow[] Slots { get; private set; } = [];

    /// <summary>The same slots' entries.</summary>
    internal EntryShadows[] Entries { get; private set; } = [];

    /// <summary>Makes room for slots up to this one.</summary>
    internal void Reach(int highest)
    {
        if (Slots.Length > highest)
        {
            return;
        }

        int length = Math.Min(capacity, (int)BitOperations.RoundUpToPowerOf2((uint)highest + 1));
        SlotShadow[] slots = Slots;
        EntryShadows[] entries = Entries;
        Array.Resize(ref slots, length);
        Array.Resize(ref entries, length);
        Slots = slots;
        Entries = entries;
    }
}
