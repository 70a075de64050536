using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>QEMU's machine protocol (docs/interop/qmp-spec of QEMU): one JSON object a line.</summary>
internal sealed class QemuMonitor(string path)
{
    /// <summary>Runs a command of the human monitor, such as <c>savevm warm</c>; throws with what it answered unless that is nothing.</summary>
    internal async Task RunAsync(string command, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        _ = await AskAsync(stream, reader, new { execute = "qmp_capabilities" }, limit.Token);
        string answer = await AskAsync(
            stream,
            reader,
            new Dictionary<string, object> { ["execute"] = "human-monitor-command", ["arguments"] = new Dictionary<string, string> { ["command-line"] = command } },
            limit.Token);
        if (answer.Trim().Length > 0)
        {
            throw new RigException($"QEMU answered to {command}: {answer}");
        }
    }

    /// <summary>Ends QEMU in good order: its disk images are whole then. It hangs up without an answer.</summary>
    internal async Task QuitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync("quit", TimeSpan.FromMinutes(1), cancellationToken);
        }
        catch (Exception gone) when (gone is RigException or IOException)
        {
            return;
        }
    }

    private static async Task<string> AskAsync(NetworkStream stream, StreamReader reader, object request, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(request) + "\n"), cancellationToken);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            // Greetings and events go by.
            using JsonDocument answer = JsonDocument.Parse(line);
            if (answer.RootElement.TryGetProperty("error", out JsonElement error))
            {
                throw new RigException($"QEMU refused: {error}");
            }

            if (answer.RootElement.TryGetProperty("return", out JsonElement value))
            {
                return value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            }
        }

        throw new RigException("QEMU closed its monitor");
    }
}
