using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Keck.Agent;

/// <summary>The API on the BCL's HttpListener: TCP on loopback, a few requests at a time, in little memory.</summary>
internal sealed class ListenerHost : IApiHost
{
    // A scraper, a person and a probe at a time; more wait in the listener's queue.
    private const int Concurrency = 8;

    private readonly HttpListener _listener;
    private readonly ApiFront _front;
    private readonly SemaphoreSlim _slots = new(Concurrency);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    private ListenerHost(HttpListener listener, ApiFront front, string address)
    {
        _listener = listener;
        _front = front;
        Addresses = [address];
        _loop = AcceptAsync();
    }

    public IReadOnlyList<string> Addresses { get; }

    internal static ListenerHost Start(ApiFront front, ApiListenOptions options)
    {
        IPEndPoint point = options.EndPoint!;
        int port = point.Port == 0 ? FreePort(point.Address) : point.Port;
        string address = $"http://{new IPEndPoint(point.Address, port)}";
        var listener = new HttpListener { IgnoreWriteExceptions = true };
        try
        {
            listener.Prefixes.Add(address + "/");
            listener.TimeoutManager.IdleConnection = TimeSpan.FromSeconds(30);
            listener.TimeoutManager.DrainEntityBody = TimeSpan.FromSeconds(5);
            listener.Start();
        }
        catch (Exception failure) when (failure is HttpListenerException or System.Net.Sockets.SocketException)
        {
            listener.Close();
            throw new ListenException($"cannot listen on {address}: {failure.Message}; is another agent running? (--listen takes another address)", failure);
        }

        return new ListenerHost(listener, front, address);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        await _loop;
        _stop.Dispose();
        _slots.Dispose();
    }

    // HttpListener takes no port 0.
    private static int FreePort(IPAddress address)
    {
        using var probe = new System.Net.Sockets.TcpListener(address, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task AcceptAsync()
    {
        List<Task> running = [];
        while (!_stop.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                await _slots.WaitAsync(_stop.Token);
                context = await _listener.GetContextAsync();
            }
            catch (Exception failure) when (failure is HttpListenerException or ObjectDisposedException or OperationCanceledException)
            {
                if (_stop.IsCancellationRequested || !_listener.IsListening)
                {
                    break;
                }

                _ = _slots.Release();
                continue;
            }

            _ = running.RemoveAll(task => task.IsCompleted);
            running.Add(Task.Run(() => ServeAsync(context), CancellationToken.None));
        }

        await Task.WhenAll(running);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Top of the request: a client that goes away is not the agent's failure.")]
    private async Task ServeAsync(HttpListenerContext context)
    {
        using var body = new PooledBuffer();
        try
        {
            HttpListenerRequest request = context.Request;
            ApiRequest asked = ApiRequest.Of(request.HttpMethod, request.RawUrl ?? "/", request.Headers["Accept"]);
            ApiResponse response = _front.Answer(asked, request.Headers["Authorization"], trusted: false, body);
            await SendAsync(context.Response, response, body, head: asked.Method == "HEAD");
            context.Response.Close();
        }
        catch (Exception)
        {
            context.Response.Abort();
        }
        finally
        {
            if (!_stop.IsCancellationRequested)
            {
                _ = _slots.Release();
            }
        }
    }

    private async Task SendAsync(HttpListenerResponse to, ApiResponse response, PooledBuffer body, bool head)
    {
        to.StatusCode = response.Status;
        to.ContentType = response.ContentType;
        to.Headers["Cache-Control"] = "no-store";
        to.Headers["X-Content-Type-Options"] = "nosniff";
        if (response.Allow is { } allow)
        {
            to.Headers["Allow"] = allow;
        }

        if (response.Authenticate is { } authenticate)
        {
            to.Headers["WWW-Authenticate"] = authenticate;
        }

        if (response.Stream is { } stream && !head)
        {
            to.SendChunked = true;
            await stream(to.OutputStream, _stop.Token);
        }
        else if (!head)
        {
            to.ContentLength64 = body.Written.Length;
            await to.OutputStream.WriteAsync(body.Written, _stop.Token);
        }
    }
}
