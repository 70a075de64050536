using System.Net.Sockets;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The published keck-host, running on this machine for a rig's guests.</summary>
internal sealed class LiveHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly string _folder;
    private readonly string[] _more;
    private readonly HttpClient _client;
    private OwnedProcess _process;

    private LiveHost(string folder, string[] more)
    {
        (_folder, _more) = (folder, more);
        _process = Start();
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, "host.sock")), cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        })
        { BaseAddress = new Uri("http://host") };
    }

    /// <summary>What it said.</summary>
    internal LineLog Log => _process.Log;

    /// <summary>Starts it and waits until it serves.</summary>
    internal static async Task<LiveHost> StartAsync(CancellationToken cancellationToken, params string[] more)
    {
        LiveHost host = new(Directory.CreateTempSubdirectory("keck-live-").FullName, more);
        await host.ServingAsync(cancellationToken);
        return host;
    }

    /// <summary>Kills it as a power switch would, and starts it again over the same state.</summary>
    internal async Task RestartAsync(CancellationToken cancellationToken)
    {
        await _process.DisposeAsync();
        _process = Start();
        await ServingAsync(cancellationToken);
    }

    /// <summary>A document of its API.</summary>
    internal async Task<JsonElement> GetAsync(string target, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(target, UriKind.Relative), cancellationToken);
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonSerializer.Deserialize<JsonElement>(body) : throw new RigException($"{target}: {(int)response.StatusCode} {body}");
    }

    /// <summary>A document, or null while there is none.</summary>
    internal async Task<JsonElement?> TryGetAsync(string target, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(target, UriKind.Relative), cancellationToken);
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonSerializer.Deserialize<JsonElement>(body) : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private OwnedProcess Start() => OwnedProcess.Start(
        Repository.PathOf("out", "bin", "keck-host"),
        ["run", "--listen", "none", "--socket", Path.Combine(_folder, "host.sock"), "--state", Path.Combine(_folder, "state"), "--channel", "on", "--libvirt", "none", .. _more]);

    private Task<string> ServingAsync(CancellationToken cancellationToken) =>
        _process.Log.WaitForAsync(static line => line.Contains("Serving", StringComparison.Ordinal), Patience, cancellationToken);
}
