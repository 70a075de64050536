using System.Buffers.Text;
using System.Text;

namespace Keck.Workloads;

/// <summary>What <c>/proc/PID/stat</c> says that we need.</summary>
internal readonly ref struct ProcessStat
{
    private const uint KernelThreadFlag = 0x0020_0000; // <linux/sched.h> PF_KTHREAD

    private ProcessStat(ReadOnlySpan<byte> name, char state, bool kernel, long threads, long startTicks, long residentPages)
    {
        Name = name;
        State = state;
        Kernel = kernel;
        Threads = threads;
        StartTicks = startTicks;
        ResidentPages = residentPages;
    }

    /// <summary>comm, at most 15 bytes; may hold spaces, parentheses and newlines.</summary>
    internal ReadOnlySpan<byte> Name { get; }

    /// <summary>The leader's state, such as <c>S</c>.</summary>
    internal char State { get; }

    /// <summary>Whether it is a kernel thread.</summary>
    internal bool Kernel { get; }

    /// <summary>Threads in the process, a dead leader included.</summary>
    internal long Threads { get; }

    /// <summary>Start since boot in ticks of 10 ms (field 22; USER_HZ is 100 on every Linux).</summary>
    internal long StartTicks { get; }

    /// <summary>Resident set, pages (field 24).</summary>
    internal long ResidentPages { get; }

    /// <summary>Whether nothing of it runs any more: dead, and at most waited for.</summary>
    internal bool Gone => State is 'Z' or 'X' && Threads <= 1;

    /// <summary>comm as text.</summary>
    internal string NameText => Encoding.UTF8.GetString(Name);

    /// <summary>Parses the line; comm reaches from the first <c>(</c> to the last <c>)</c>.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> line, out ProcessStat stat)
    {
        stat = default;
        int open = line.IndexOf((byte)'(');
        int close = line.LastIndexOf((byte)')');
        if (open < 0 || close < open || close + 3 >= line.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> name = line[(open + 1)..close];
        char state = (char)line[close + 2];
        long flags = -1;
        long threads = -1;
        long start = -1;
        long resident = -1;
        int field = 2;
        foreach (Range range in line[(close + 1)..].Split((byte)' '))
        {
            ReadOnlySpan<byte> text = line[(close + 1)..][range];
            if (text.IsEmpty)
            {
                continue;
            }

            field++;
            if (field is 9 or 20 or 22 or 24)
            {
                if (!Utf8Parser.TryParse(text, out long value, out _) || value < 0)
                {
                    return false;
                }

                switch (field)
                {
                    case 9:
                        flags = value;
                        break;
                    case 20:
                        threads = value;
                        break;
                    case 22:
                        start = value;
                        break;
                    default:
                        resident = value;
                        break;
                }
            }

            if (field == 24)
            {
                break;
            }
        }

        // 10 ms × 2^39 is 174 years: more is no uptime, and would overflow as ns.
        if (resident < 0 || start >= 1L << 39)
        {
            return false;
        }

        stat = new ProcessStat(name, state, ((uint)flags & KernelThreadFlag) != 0, threads, start, resident);
        return true;
    }
}
