namespace Keck.Power;

/// <summary>One open counter.</summary>
internal interface IPerfCounter : IDisposable
{
    /// <summary>Its 64-bit count, in steps of the event's scale.</summary>
    /// <returns>False when the kernel gives none (the CPU went offline).</returns>
    bool TryRead(out ulong count);
}
