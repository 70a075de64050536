using System.Buffers.Text;
using Keck.Metering;
using Microsoft.Win32.SafeHandles;

namespace Keck.Agent;

/// <summary>Measures the agent itself: CPU time by getrusage(2), memory from /proc/self/status, energy from the ledger. Reading allocates nothing.</summary>
public sealed class SelfMeter : IDisposable
{
    private readonly SafeFileHandle? _status;

    /// <summary>Opens the status file once; where it cannot be opened, memory is unknown.</summary>
    /// <param name="statusPath">The kernel's status file of this process.</param>
    public SelfMeter(string statusPath = "/proc/self/status")
    {
        try
        {
            _status = File.OpenHandle(statusPath);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _status = null;
        }
    }

    /// <summary>Takes a reading.</summary>
    public SelfUsage Read()
    {
        long cpu = Environment.CpuUsage.TotalTime.Ticks * 100;
        Span<byte> text = stackalloc byte[4096];
        int length = 0;
        try
        {
            length = _status is null ? 0 : RandomAccess.Read(_status, text, 0);
        }
        catch (IOException)
        {
            // Unknown memory is absent, below.
        }

        ReadOnlySpan<byte> read = text[..length];
        return new SelfUsage(cpu, Kibibytes(read, "\nVmRSS:"u8), Kibibytes(read, "\nRssAnon:"u8));
    }

    /// <summary>The agent's own row in the ledger; null while it has none.</summary>
    public static ConsumerTotals? Row(LedgerSnapshot ledger, int pid)
    {
        foreach (ConsumerTotals consumer in ledger.Consumers)
        {
            if (consumer.Kind == ConsumerKind.Process && consumer.Pid == pid && !consumer.Ended)
            {
                return consumer;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _status?.Dispose();

    private static long? Kibibytes(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name)
    {
        int at = status.IndexOf(name);
        if (at < 0)
        {
            return null;
        }

        ReadOnlySpan<byte> value = status[(at + name.Length)..].TrimStart(" \t"u8);
        return Utf8Parser.TryParse(value, out long kibibytes, out _) ? kibibytes * 1024 : null;
    }
}
