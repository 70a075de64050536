using System.Buffers.Text;
using System.Globalization;
using Keck.Metering;
using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Frequency;

/// <summary>
/// cpufreq's <c>scaling_cur_freq</c>, kHz, read at the drain. On x86 it is the mean over the last tick, and only younger
/// than 20 ms while the CPU is busy: so it is read of CPUs that ran at least 20 ms in this tick of ours, and kept for the others.
/// </summary>
internal sealed class CpufreqReader : IFrequencyReader
{
    private const long FreshBusyNanoseconds = 20_000_000;

    private readonly SafeFileHandle?[] _files;
    private readonly long[] _last;
    private readonly byte[] _buffer = new byte[64];

    private CpufreqReader(SafeFileHandle?[] files)
    {
        _files = files;
        _last = new long[files.Length];
        Array.Fill(_last, Unobserved.Value);
    }

    /// <inheritdoc/>
    public FrequencyOrigin Origin => FrequencyOrigin.Cpufreq;

    /// <summary>Whether a driver sets the frequency of CPUs: without one nobody tells of changes, as in most virtual machines.</summary>
    internal static bool HasDriver(string sysRoot) => Directory.Exists(Path.GetDirectoryName(PathOf(sysRoot, 0)));

    /// <summary>Null where no CPU has the file with a number in it.</summary>
    internal static IFrequencyReader? Open(string sysRoot, int cpus)
    {
        var files = new SafeFileHandle?[cpus];
        bool any = false;
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            if (Current(sysRoot, cpu) > 0)
            {
                files[cpu] = File.OpenHandle(PathOf(sysRoot, cpu));
                any = true;
            }
        }

        return any ? new CpufreqReader(files) : null;
    }

    /// <summary>What the file says now, kHz; <see cref="Unobserved.Value"/> where it says nothing.</summary>
    internal static long Current(string sysRoot, int cpu)
    {
        string file = PathOf(sysRoot, cpu);
        try
        {
            return File.Exists(file) && long.TryParse(File.ReadAllText(file).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long kiloHertz) && kiloHertz > 0
                ? kiloHertz
                : Unobserved.Value;
        }
        catch (IOException)
        {
            return Unobserved.Value; // The kernel answers EBUSY or "<unknown>" for a policy that is going.
        }
        catch (UnauthorizedAccessException)
        {
            return Unobserved.Value;
        }
    }

    /// <inheritdoc/>
    public long Read(int cpu, long busyNanoseconds)
    {
        if ((uint)cpu >= (uint)_files.Length || _files[cpu] is not { } file)
        {
            return Unobserved.Value;
        }

        if (busyNanoseconds >= FreshBusyNanoseconds || _last[cpu] < 0)
        {
            try
            {
                int length = RandomAccess.Read(file, _buffer, 0);
                if (Utf8Parser.TryParse(_buffer.AsSpan(0, Math.Max(0, length)), out long kiloHertz, out _) && kiloHertz > 0)
                {
                    _last[cpu] = kiloHertz;
                }
            }
            catch (IOException)
            {
                _last[cpu] = Unobserved.Value; // Unplugged.
            }
        }

        return _last[cpu];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeFileHandle? file in _files)
        {
            file?.Dispose();
        }
    }

    private static string PathOf(string sysRoot, int cpu) =>
        Path.Combine(sysRoot, string.Create(CultureInfo.InvariantCulture, $"devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq"));
}
