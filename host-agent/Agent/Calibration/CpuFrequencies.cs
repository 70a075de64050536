using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Keck.Metering;

namespace Keck.Host;

/// <summary>
/// The highest frequencies that the CPUs may take (<c>cpuN/cpufreq/scaling_max_freq</c> below sysfs), within what was set
/// before; that is put back when it is disposed of.
/// </summary>
internal sealed class CpuFrequencies : IDisposable
{
    private const int MostBytes = 64;

    private readonly ImmutableArray<CpuLimits> _limits;
    private readonly Action<string> _say;
    private bool _changed;

    private CpuFrequencies(ImmutableArray<CpuLimits> limits, Action<string> say) => (_limits, _say) = (limits, say);

    /// <summary>Reads what is set.</summary>
    /// <param name="sysRoot">Root of sysfs.</param>
    /// <param name="topology">The CPUs.</param>
    /// <param name="say">Told what could not be put back.</param>
    /// <exception cref="CalibrationException">There is nothing that can be set.</exception>
    internal static CpuFrequencies Open(string sysRoot, Topology topology, Action<string> say)
    {
        ImmutableArray<CpuLimits>.Builder limits = ImmutableArray.CreateBuilder<CpuLimits>();
        foreach (CpuPlace cpu in topology.Cpus)
        {
            string folder = Path.Combine(sysRoot, "devices", "system", "cpu", $"cpu{cpu.Cpu}", "cpufreq");
            try
            {
                limits.Add(new CpuLimits(folder, Read(folder, "cpuinfo_min_freq"), Read(folder, CpuLimits.Lowest), Read(folder, CpuLimits.Highest)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                throw new CalibrationException($"the frequencies cannot be set here: {folder}: {e.Message}; leave out --frequencies");
            }
        }

        return new CpuFrequencies(limits.ToImmutable(), say);
    }

    /// <summary>Lets every CPU use a part of its range; null for what was set before.</summary>
    /// <exception cref="CalibrationException">The kernel does not let it.</exception>
    internal void Set(double? part)
    {
        if (part is null)
        {
            Restore();
            return;
        }

        _changed = true;
        foreach (CpuLimits limits in _limits)
        {
            long top = limits.At(part.Value);
            try
            {
                // The lower limit is never above the upper one.
                if (limits.Low > top)
                {
                    Write(limits.Folder, CpuLimits.Lowest, top);
                }

                Write(limits.Folder, CpuLimits.Highest, top);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CalibrationException($"the frequencies cannot be set here: {limits.Folder}: {e.Message}; leave out --frequencies");
            }
        }
    }

    public void Dispose() => Restore();

    private void Restore()
    {
        if (!_changed)
        {
            return;
        }

        _changed = false;
        foreach (CpuLimits limits in _limits)
        {
            foreach ((string file, long kiloHertz) in new[] { (CpuLimits.Highest, limits.High), (CpuLimits.Lowest, limits.Low) })
            {
                try
                {
                    Write(limits.Folder, file, kiloHertz);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The others are put back all the same.
                    _changed = true;
                    _say($"{Path.Combine(limits.Folder, file)} could not be put back to {kiloHertz}: {e.Message}");
                }
            }
        }
    }

    private static long Read(string folder, string file)
    {
        using FileStream stream = new(Path.Combine(folder, file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        Span<byte> text = stackalloc byte[MostBytes];
        int length = stream.Read(text);
        return long.TryParse(Encoding.ASCII.GetString(text[..length]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long kiloHertz)
            ? kiloHertz
            : throw new FormatException($"{file} holds no frequency");
    }

    private static void Write(string folder, string file, long kiloHertz)
    {
        using FileStream stream = new(Path.Combine(folder, file), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(Encoding.ASCII.GetBytes(kiloHertz.ToString(CultureInfo.InvariantCulture) + "\n"));
    }
}
