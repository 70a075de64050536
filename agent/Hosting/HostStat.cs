using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Keck.Agent;

/// <summary>
/// The machine's counters and how busy it was, from /proc/stat on a kept descriptor. Read in pieces: on a large machine most of
/// the file is one line of interrupts, which is passed over.
/// </summary>
internal sealed class HostStat : IDisposable
{
    private const int Piece = 4096;

    private readonly SafeFileHandle? _file;
    private readonly byte[] _buffer = new byte[Piece];
    private (long Busy, long All)? _before;
    private Figures _read;
    private volatile HostCounters? _counters;

    internal HostStat(string procRoot)
    {
        try
        {
            _file = File.OpenHandle(Path.Combine(procRoot, "stat"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What cannot be read is unknown.
        }
    }

    /// <summary>The last reading; null where the file cannot be read.</summary>
    internal HostCounters? Counters => _counters;

    /// <summary>Reads once; one caller at a time.</summary>
    internal void Read()
    {
        _read = default;
        int kept = 0;
        bool passOver = false;
        try
        {
            for (long at = 0; _file is not null && RandomAccess.Read(_file, _buffer.AsSpan(kept), at) is var read and > 0; at += read)
            {
                kept = TakeLines(kept + read, ref passOver);
            }
        }
        catch (IOException)
        {
            _read = default;
        }

        double? ratio = _read.Ticks is { } now && _before is { } before && now.All > before.All
            ? Math.Clamp((double)(now.Busy - before.Busy) / (now.All - before.All), 0, 1)
            : null;
        _before = _read.Ticks;
        _counters = _read == default
            ? null
            : new HostCounters(_read.Forks, _read.ContextSwitches, _read.Running, _read.Blocked) { CpuUsageRatio = ratio };
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    // Takes the whole lines of the buffer and moves what is left to its start.
    private int TakeLines(int length, ref bool passOver)
    {
        Span<byte> text = _buffer.AsSpan(0, length);
        int end;
        while ((end = text.IndexOf((byte)'\n')) >= 0)
        {
            if (!passOver)
            {
                Take(text[..end]);
            }

            passOver = false;
            text = text[(end + 1)..];
        }

        // No line of ours is that long.
        passOver |= text.Length == Piece;
        if (passOver)
        {
            return 0;
        }

        text.CopyTo(_buffer);
        return text.Length;
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("cpu "u8))
        {
            _read.Ticks = Ticks(line["cpu "u8.Length..]);
        }
        else
        {
            _read.ContextSwitches ??= Whole(line, "ctxt "u8);
            _read.Forks ??= Whole(line, "processes "u8);
            _read.Running ??= Whole(line, "procs_running "u8);
            _read.Blocked ??= Whole(line, "procs_blocked "u8);
        }
    }

    // user nice system idle iowait irq softirq steal; a guest's time is part of user's already. Stolen time was not used here.
    private static (long Busy, long All)? Ticks(ReadOnlySpan<byte> fields)
    {
        const int Idle = 3, Iowait = 4, Steal = 7;
        (long busy, long all) = (0, 0);
        for (int field = 0; field <= Steal; field++)
        {
            fields = fields.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(fields, out long ticks, out int length) || ticks < 0)
            {
                return null;
            }

            fields = fields[length..];
            all += ticks;
            busy += field is Idle or Iowait or Steal ? 0 : ticks;
        }

        return (busy, all);
    }

    private static long? Whole(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.StartsWith(name) && Utf8Parser.TryParse(line[name.Length..], out long value, out _) && value >= 0 ? value : null;

    private record struct Figures((long Busy, long All)? Ticks, long? ContextSwitches, long? Forks, long? Running, long? Blocked);
}
