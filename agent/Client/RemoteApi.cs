using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text.Json;

namespace Keck.Agent;

/// <summary>The API of a running agent, over its unix socket or its address.</summary>
internal sealed class RemoteApi : IApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly HttpClient _client;

    private RemoteApi(string name, HttpClient client) => (Name, _client) = (name, client);

    /// <summary>The same agent, asked with the token of a file; null for none.</summary>
    /// <exception cref="ListenException">The file cannot be read, or holds no token.</exception>
    internal RemoteApi With(string? tokenFile)
    {
        if (BearerToken.Text(tokenFile) is { } token)
        {
            _client.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        }

        return this;
    }

    public string Name { get; }

    /// <summary>An agent at an address such as <c>http://127.0.0.1:9470</c>.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The API owns its client and disposes it.")]
    internal static RemoteApi AtUrl(Uri url) => new(url.ToString().TrimEnd('/'), new HttpClient { BaseAddress = url, Timeout = Patience });

    /// <summary>An agent on a unix socket.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The client owns its handler, the stream its socket, the API its client.")]
    internal static RemoteApi AtSocket(string path)
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return new RemoteApi($"unix:{path}", new HttpClient(handler) { BaseAddress = new Uri("http://localhost"), Timeout = Patience });
    }

    public async Task<JsonDocument> GetAsync(string target, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await _client.GetAsync(new Uri(target, UriKind.Relative), cancellation).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return response.IsSuccessStatusCode
                ? JsonDocument.Parse(body)
                : throw new ApiException($"{Name}{target}: {(int)response.StatusCode} {Problems.Detail(body)}") { WantsToken = response.StatusCode == System.Net.HttpStatusCode.Unauthorized };
        }
        catch (HttpRequestException e)
        {
            throw new ApiException(e.HttpRequestError == HttpRequestError.ConnectionError ? $"{Name}: {e.Message}; does the agent run there?" : $"{Name}: {e.Message}");
        }
        catch (JsonException e)
        {
            throw new ApiException($"{Name}{target}: not the JSON that was expected: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ApiException($"{Name}: no answer within {Patience.TotalSeconds:0} s");
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
