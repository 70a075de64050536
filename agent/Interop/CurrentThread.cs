using System.Text;

namespace Keck.Agent.Interop;

/// <summary>What the kernel knows of the calling thread.</summary>
internal static class CurrentThread
{
    private const int NameLength = 15;

    /// <summary>Keeps it on one CPU; false where the kernel does not let it, as outside the CPUs of its cgroup.</summary>
    internal static bool Pin(int cpu)
    {
        // The kernel takes whole words.
        byte[] mask = new byte[((cpu / 64) + 1) * 8];
        mask[cpu / 8] = (byte)(1 << (cpu % 8));
        return LibC.SetAffinity(0, (nuint)mask.Length, mask) == 0;
    }

    /// <summary>Names it, as /proc/PID/task/TID/comm shows it; what is too long is cut.</summary>
    internal static void Name(string name)
    {
        Span<byte> text = stackalloc byte[NameLength + 1];
        text.Clear();
        _ = Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(name.Length, NameLength)), text);
        _ = LibC.ThreadControl(LibC.SetName, text);
    }
}
