using System.Diagnostics;
using System.Globalization;

namespace Keck.Bpf.Tests;

/// <summary>Starts processes that get the same pid: /proc/sys/kernel/ns_last_pid says which comes next.</summary>
internal sealed class PidReuse : IDisposable
{
    private const string LastPid = "/proc/sys/kernel/ns_last_pid";
    private int _pid;

    internal PidReuse() => Assert.SkipUnless(File.Exists(LastPid), "needs CONFIG_CHECKPOINT_RESTORE");

    /// <summary>Runs <c>/bin/true</c> to its end, under the same pid as the last time; its pid.</summary>
    internal int Spawn()
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            if (_pid != 0)
            {
                File.WriteAllText(LastPid, (_pid - 1).ToString(CultureInfo.InvariantCulture));
            }

            using Process process = Process.Start("/bin/true");
            int pid = process.Id;
            process.WaitForExit();
            if (_pid == 0 || pid == _pid)
            {
                return _pid = pid;
            }
        }

        throw new InvalidOperationException("another process always took the pid");
    }

    public void Dispose() => _pid = 0;
}
