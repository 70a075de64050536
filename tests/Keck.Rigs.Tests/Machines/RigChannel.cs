using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Keck.Rigs.Tests;

/// <summary>
/// Runs commands in a machine through its rig-agent, one at a time. The frames are described in tests/rigs/guest/rig-agent.c.
/// </summary>
/// <param name="path">The unix socket of the virtio-serial port <c>org.keck.rig.0</c>.</param>
/// <param name="alive">Whether its QEMU runs: if not, nobody will ever listen there.</param>
internal sealed class RigChannel(string path, Func<bool> alive) : IDisposable
{
    private const int OutputLimit = 64 << 20;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NetworkStream? _stream;

    /// <summary>Runs a command under <c>sh -c</c> as root and returns when it has ended. What it leaves in the background lives on.</summary>
    /// <param name="command">The command; quoting is the caller's.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="patience">How long it may take; then a <see cref="RigException"/> says so, and the channel can be used on.</param>
    /// <param name="cancellationToken">Ends the waiting, not the command.</param>
    internal async Task<CommandResult> RunAsync(string command, ReadOnlyMemory<byte> input, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            NetworkStream stream = _stream ??= await ConnectAsync(limit.Token);
            byte[] line = Encoding.UTF8.GetBytes(command);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"RUN {line.Length} {input.Length}\n")), limit.Token);
            await stream.WriteAsync(line, limit.Token);
            await stream.WriteAsync(input, limit.Token);
            return await AnswerAsync(stream, command, limit.Token);
        }
        catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException)
        {
            // Out of step now: the agent starts afresh when the other side has gone.
            _stream?.Dispose();
            _stream = null;
            cancellationToken.ThrowIfCancellationRequested();
            throw new RigException($"no answer within {patience} to: {command}", broken);
        }
        finally
        {
            _ = _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream?.Dispose();
        _turn.Dispose();
    }

    // QEMU makes its sockets some time after it was started.
    private async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer again = new(TimeSpan.FromMilliseconds(50));
        for (; ; )
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (alive())
            {
                socket.Dispose();
                _ = await again.WaitForNextTickAsync(cancellationToken);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static async Task<CommandResult> AnswerAsync(NetworkStream stream, string command, CancellationToken cancellationToken)
    {
        StringBuilder header = new();
        byte[] one = new byte[1];
        for (; ; )
        {
            await stream.ReadExactlyAsync(one, cancellationToken);
            if (one[0] == '\n')
            {
                break;
            }

            _ = header.Append((char)one[0]);
            if (header.Length > 64)
            {
                throw new IOException($"no answer of rig-agent: {header}");
            }
        }

        string[] words = header.ToString().Split(' ');
        if (words is not ["END", string status, string size]
            || !int.TryParse(status, CultureInfo.InvariantCulture, out int exitCode)
            || !int.TryParse(size, CultureInfo.InvariantCulture, out int length)
            || length is < 0 or > OutputLimit)
        {
            throw new IOException($"no answer of rig-agent: {header}");
        }

        byte[] output = new byte[length];
        await stream.ReadExactlyAsync(output, cancellationToken);
        return new CommandResult(command, exitCode, Encoding.UTF8.GetString(output));
    }
}
