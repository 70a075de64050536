using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf;

/// <summary>Which CPUs are online, from /sys/devices/system/cpu/online on a kept descriptor (1–2 µs a read).</summary>
internal sealed class OnlineCpus : IDisposable
{
    private readonly byte[] _buffer = new byte[8192];
    private readonly bool[] _cpus;
    private readonly SafeFileHandle? _file;

    internal OnlineCpus(string sysRoot, int cpus)
    {
        _cpus = new bool[cpus];
        Array.Fill(_cpus, true);
        string file = Path.Combine(sysRoot, "devices/system/cpu/online");
        _file = File.Exists(file) ? File.OpenHandle(file) : null;
    }

    /// <summary>By CPU number; all true where the file is not there.</summary>
    internal ReadOnlySpan<bool> Cpus => _cpus;

    /// <summary>Reads the set anew; false where it could not be read and the old one stands.</summary>
    internal bool Read()
    {
        if (_file is null)
        {
            return false;
        }

        int length = RandomAccess.Read(_file, _buffer, 0);
        if (length <= 0 || _buffer[0] is < (byte)'0' or > (byte)'9')
        {
            return false;
        }

        CpuList.Mark(_buffer.AsSpan(0, length), _cpus);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}
