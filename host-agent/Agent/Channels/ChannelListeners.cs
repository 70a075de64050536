using System.Diagnostics.CodeAnalysis;
using Keck.Virt;
using Keck.VsockProtocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>
/// Opens the doors: AF_VSOCK for all guests, a unix socket beside each machine's hybrid vsock, a connection to each machine's
/// virtio-serial port. Doors follow the machines as they come and go; one that cannot be opened is said once and tried again.
/// </summary>
internal sealed partial class ChannelListeners(HostAgent agent, HostOptions options, TimeProvider time, ILogger<ChannelListeners> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // What refusing costs the host is bounded: one guest waits at its own socket, all share that of AF_VSOCK.
    private static readonly TimeSpan OwnRefusal = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SharedRefusal = TimeSpan.FromMilliseconds(1);
    private readonly Dictionary<MachineChannel, Door> _doors = [];

    /// <summary>The hypervisor's socket that a hybrid-vsock listener's path stands beside; null for any other path.</summary>
    internal static string? SocketOf(string listenerPath)
    {
        string suffix = UnixListener.HybridVsock("");
        return listenerPath.EndsWith(suffix, StringComparison.Ordinal) ? listenerPath[..^suffix.Length] : null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Channels)
        {
            return;
        }

        ChannelHub hub = agent.Hub;

        Task vsock = KeepAsync("vsock", token => ListenAsync(static () => new VsockListener(), hub, SharedRefusal, time, token), stoppingToken);
        using PeriodicTimer timer = new(Look, time);
        try
        {
            do
            {
                Follow(hub, stoppingToken);
                hub.Sweep();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        await Task.WhenAll(_doors.Values.Select(door => door.Work).Append(vsock)).ConfigureAwait(false);
        foreach (Door door in _doors.Values)
        {
            door.Dispose();
        }
    }

    private void Follow(ChannelHub hub, CancellationToken stopping)
    {
        HashSet<MachineChannel> wanted =
        [
            .. agent.Machines.Current.Machines.Where(machine => machine.Process is not null)
                .SelectMany(machine => machine.Channels).Where(channel => channel.Kind != ChannelKind.Vsock && channel.Path is not null),
        ];
        foreach ((MachineChannel channel, Door door) in _doors)
        {
            if (!wanted.Contains(channel))
            {
                door.Close();
            }

            if (door.Work.IsCompleted)
            {
                _ = _doors.Remove(channel);
                door.Dispose();
            }
        }

        foreach (MachineChannel channel in wanted)
        {
            if (!_doors.ContainsKey(channel))
            {
                _doors.Add(channel, new Door(token => OpenAsync(channel, hub, token), stopping));
            }
        }
    }

    private Task OpenAsync(MachineChannel channel, ChannelHub hub, CancellationToken cancellationToken)
    {
        string path = channel.Path!;
        return channel.Kind == ChannelKind.HybridVsock
            ? KeepAsync(path, token => ListenAsync(() => UnixListener.Beside(path), hub, OwnRefusal, time, token), cancellationToken)
            : KeepAsync(path, token => ConnectAsync(path, hub, token), cancellationToken);
    }

    private async Task KeepAsync(string what, Func<CancellationToken, Task> open, CancellationToken cancellationToken)
    {
        string? said = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await open(cancellationToken).ConfigureAwait(false);
                said = null;
            }
            catch (ChannelException e)
            {
                if (e.Message != said)
                {
                    said = e.Message;
                    Log.NoDoor(logger, what, e.Message);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "A session owns its connection.")]
    internal static async Task ListenAsync(
        Func<IChannelListener> open, ChannelHub hub, TimeSpan afterRefusal, TimeProvider time, CancellationToken cancellationToken)
    {
        await using IChannelListener listener = open();
        HashSet<Task<bool>> served = [];
        try
        {
            while (true)
            {
                ChannelConnection connection = await listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
                Task<bool> serving = hub.ServeAsync(connection, cancellationToken);
                if (serving.IsCompletedSuccessfully && !await serving.ConfigureAwait(false))
                {
                    await Task.Delay(afterRefusal, time, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                _ = served.RemoveWhere(static task => task.IsCompletedSuccessfully);
                _ = served.Add(serving);
            }
        }
        finally
        {
            await Task.WhenAll(served).ConfigureAwait(false);
        }
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "A session owns its connection.")]
    private static async Task ConnectAsync(string path, ChannelHub hub, CancellationToken cancellationToken)
    {
        ChannelConnection connection = await new UnixConnector(path, ChannelTransport.VirtioSerial).ConnectAsync(cancellationToken).ConfigureAwait(false);
        _ = await hub.ServeAsync(connection, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A door of one machine, open until the machine goes.</summary>
    private sealed class Door : IDisposable
    {
        private readonly CancellationTokenSource _stop;

        internal Door(Func<CancellationToken, Task> open, CancellationToken stopping)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            Work = open(_stop.Token);
        }

        internal Task Work { get; }

        internal void Close() => _stop.Cancel();

        public void Dispose() => _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5211, Level = LogLevel.Warning, Message = "No guest can come in by {What}, tried again: {Why}")]
        internal static partial void NoDoor(ILogger logger, string what, string why);
    }
}
