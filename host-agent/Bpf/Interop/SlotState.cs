namespace Keck.Bpf.Interop;

/// <summary>enum keck_slot_state of kernel/records.h.</summary>
internal enum SlotState : uint
{
    /// <summary>In the ring, or in our hands.</summary>
    Free,

    /// <summary>A thread's slot.</summary>
    Live,

    /// <summary>Its thread is gone: final.</summary>
    Dead,

    /// <summary>More CPUs of another slot's thread.</summary>
    Overflow,

    /// <summary>An overflow chain that is no longer used: final.</summary>
    Detached,
}
