using System.Buffers.Binary;
using System.Globalization;
using Keck.Metering;
using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Frequency;

/// <summary>APERF (0xE8) and MPERF (0xE7) through /dev/cpu/N/msr: needs the msr module and CAP_SYS_RAWIO.</summary>
internal sealed class MsrReader : IFrequencyReader
{
    private const long MperfRegister = 0xE7;
    private const long AperfRegister = 0xE8;

    private readonly SafeFileHandle?[] _files;
    private readonly RatioCounter[] _counters;
    private readonly long _baseKiloHertz;

    private MsrReader(SafeFileHandle?[] files, long baseKiloHertz)
    {
        _files = files;
        _counters = new RatioCounter[files.Length];
        _baseKiloHertz = baseKiloHertz;
    }

    /// <inheritdoc/>
    public FrequencyOrigin Origin => FrequencyOrigin.Msr;

    /// <summary>Null where no register can be read, both read zero (a VM), or the base frequency is unknown.</summary>
    internal static IFrequencyReader? Open(string devRoot, Kilohertz? frequency, int cpus)
    {
        if (frequency is not { Value: > 0 } known)
        {
            return null;
        }

        var files = new SafeFileHandle?[cpus];
        bool any = false;
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            string path = Path.Combine(devRoot, string.Create(CultureInfo.InvariantCulture, $"cpu/{cpu}/msr"));
            if (File.Exists(path))
            {
                try
                {
                    files[cpu] = File.OpenHandle(path);
                    any |= Register(files[cpu]!, MperfRegister) is > 0;
                }
                catch (UnauthorizedAccessException)
                {
                    break; // No right for one is no right for any.
                }
            }
        }

        var reader = new MsrReader(files, known.Value);
        if (any)
        {
            return reader;
        }

        reader.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public long Read(int cpu, long busyNanoseconds) =>
        (uint)cpu < (uint)_files.Length && _files[cpu] is { } file && Register(file, AperfRegister) is { } aperf && Register(file, MperfRegister) is { } mperf
            ? _counters[cpu].Advance(aperf, mperf, _baseKiloHertz)
            : Unobserved.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeFileHandle? file in _files)
        {
            file?.Dispose();
        }
    }

    private static ulong? Register(SafeFileHandle file, long register)
    {
        Span<byte> value = stackalloc byte[8];
        try
        {
            return RandomAccess.Read(file, value, register) == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(value) : null;
        }
        catch (IOException)
        {
            return null; // EIO: the register is not implemented.
        }
    }
}
