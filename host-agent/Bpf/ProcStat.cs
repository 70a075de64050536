using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf;

/// <summary>Steal time per CPU and context switches from /proc/stat, on a kept descriptor. Steal is in ticks of 10 ms.</summary>
internal sealed class ProcStat : IDisposable
{
    private const long NanosecondsPerTick = 10_000_000; // USER_HZ is 100 on every architecture we run on.
    private const int StealField = 8;

    private readonly SafeFileHandle? _file;
    private readonly long[] _stealTicks;
    private readonly long[] _steal;
    private byte[] _buffer = new byte[64 * 1024];
    private long _firstSwitches = -1;

    internal ProcStat(string procRoot, int cpus)
    {
        string file = Path.Combine(procRoot, "stat");
        _file = File.Exists(file) ? File.OpenHandle(file) : null;
        _stealTicks = new long[cpus];
        Array.Fill(_stealTicks, -1);
        _steal = new long[cpus];
    }

    /// <summary>Steal time per CPU read and not yet taken, ns; the taker sets it to zero.</summary>
    internal Span<long> Steal => _steal;

    /// <summary>Context switches of all CPUs since the first read.</summary>
    internal long ContextSwitches { get; private set; }

    /// <summary>Whether the last reading told the steal time of at least one CPU; where not, stolen time is part of what is called interrupt time.</summary>
    internal bool StealKnown { get; private set; }

    /// <summary>Whether the last reading told the context switches.</summary>
    internal bool SwitchesKnown { get; private set; }

    /// <summary>Reads once; what it cannot read is unknown.</summary>
    internal void Read()
    {
        int length = 0;
        try
        {
            while (_file is not null && RandomAccess.Read(_file, _buffer.AsSpan(length), length) is var read and > 0)
            {
                length += read;
                if (length == _buffer.Length)
                {
                    Array.Resize(ref _buffer, _buffer.Length * 2);
                }
            }
        }
        catch (IOException)
        {
            length = 0;
        }

        Parse(_buffer.AsSpan(0, length));
    }

    /// <summary>Takes in one content of the file; lines it does not know are skipped.</summary>
    internal void Parse(ReadOnlySpan<byte> text)
    {
        StealKnown = SwitchesKnown = false;
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (line.StartsWith("ctxt "u8))
            {
                if (Utf8Parser.TryParse(line["ctxt "u8.Length..], out long switches, out _))
                {
                    _firstSwitches = _firstSwitches < 0 ? switches : _firstSwitches;
                    ContextSwitches = switches - _firstSwitches;
                    SwitchesKnown = true;
                }
            }
            else if (line.StartsWith("cpu"u8) && Utf8Parser.TryParse(line[3..], out int cpu, out _) && (uint)cpu < (uint)_steal.Length)
            {
                TakeSteal(line, cpu);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void TakeSteal(ReadOnlySpan<byte> line, int cpu)
    {
        for (int field = 0; field < StealField; field++)
        {
            int space = line.IndexOf((byte)' ');
            if (space < 0)
            {
                return;
            }

            line = line[(space + 1)..];
        }

        if (Utf8Parser.TryParse(line, out long ticks, out _))
        {
            // The counter is known to step back by a tick on some kernels: then nothing was stolen.
            _steal[cpu] += _stealTicks[cpu] < 0 ? 0 : Math.Max(0, ticks - _stealTicks[cpu]) * NanosecondsPerTick;
            _stealTicks[cpu] = Math.Max(ticks, _stealTicks[cpu]);
            StealKnown = true;
        }
    }
}
