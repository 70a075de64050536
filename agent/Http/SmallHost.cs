using System.Net;
using System.Net.Sockets;

namespace Keck.Agent;

/// <summary>The API on plain sockets: TCP on loopback, a bounded number of connections, in little memory. Kestrel is not loaded for it.</summary>
internal sealed class SmallHost : IApiHost
{
    // A few scrapers, people and probes. Where all are taken, one that asks for nothing makes room; else the next waits in the kernel's queue.
    private const int MostConnections = 32;
    private const int Backlog = 64;

    // Answers made and sent at a time: each holds its whole body.
    private const int MostAnswers = 8;

    private readonly Socket _listener;
    private readonly ApiFront _front;
    private readonly SemaphoreSlim _room = new(MostConnections);
    private readonly SemaphoreSlim _answers = new(MostAnswers);
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<SmallConnection, Task> _connections = [];
    private readonly Lock _gate = new();
    private readonly Task _loop;

    private SmallHost(Socket listener, ApiFront front)
    {
        _listener = listener;
        _front = front;
        Addresses = [$"http://{listener.LocalEndPoint}"];
        _loop = AcceptAsync();
    }

    public IReadOnlyList<string> Addresses { get; }

    internal static SmallHost Start(ApiFront front, ApiListenOptions options)
    {
        IPEndPoint point = options.EndPoint!;
        var listener = new Socket(point.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(point);
            listener.Listen(Backlog);
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            string why = failure.SocketErrorCode == SocketError.AddressAlreadyInUse ? "the port is in use" : failure.Message;
            throw new ListenException($"cannot listen on {point}: {why}; is another agent running? (--listen takes another address)", failure);
        }

        return new SmallHost(listener, front);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        Task[] all;
        lock (_gate)
        {
            all = [.. _connections.Values];
        }

        await Task.WhenAll(all);
        _stop.Dispose();
        _room.Dispose();
        _answers.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                await RoomAsync();
                Socket client;
                try
                {
                    client = await _listener.AcceptAsync(_stop.Token);
                }
                catch (SocketException) when (!_stop.IsCancellationRequested)
                {
                    // The client has gone before it was let in, or this process has no descriptor left: others come.
                    _ = _room.Release();
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, _stop.Token);
                    continue;
                }

                Begin(new SmallConnection(client, _front, _answers));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task RoomAsync()
    {
        while (!await _room.WaitAsync(TimeSpan.Zero, _stop.Token))
        {
            lock (_gate)
            {
                _connections.Keys.Where(connection => connection.IdleSince is not null).MinBy(connection => connection.IdleSince)?.Abort();
            }

            if (await _room.WaitAsync(TimeSpan.FromSeconds(1), _stop.Token))
            {
                return;
            }
        }
    }

    private void Begin(SmallConnection connection)
    {
        lock (_gate)
        {
            _connections.Add(connection, Task.Run(() => ServeAsync(connection), CancellationToken.None));
        }
    }

    private async Task ServeAsync(SmallConnection connection)
    {
        await connection.RunAsync(_stop.Token);
        lock (_gate)
        {
            _ = _connections.Remove(connection);
        }

        connection.Dispose();
        _ = _room.Release();
    }
}
