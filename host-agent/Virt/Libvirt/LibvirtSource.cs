using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Keck.Metering;
using Keck.Virt.Interop;
using Microsoft.Extensions.Logging;

namespace Keck.Virt;

/// <summary>Follows libvirt's domains: lists them, then follows their events; connects again for as long as it runs. What was known stays known meanwhile.</summary>
internal sealed partial class LibvirtSource(VirtOptions options, TimeProvider time, ILogger logger)
{
    private const int QueueLength = 4096;

    private ImmutableDictionary<string, DomainFacts> _domains = ImmutableDictionary<string, DomainFacts>.Empty;
    private LibvirtStatus _status = new(true, false, 0, 0, Absence.NotPresent, "not tried yet");
    private LibvirtConnection? _connection;
    private ChannelWriter<DomainEvent>? _events;
    private int _missed;

    /// <summary>Domains by UUID, as last heard.</summary>
    internal ImmutableDictionary<string, DomainFacts> Domains => Volatile.Read(ref _domains);

    /// <summary>How the connection stands.</summary>
    internal LibvirtStatus Status => Volatile.Read(ref _status);

    /// <summary>Called after <see cref="Domains"/> changed, with what happened (nothing after a whole list). On the loop's task.</summary>
    internal Action<ImmutableArray<DomainEvent>>? Changed { get; set; }

    /// <summary>Runs until cancelled; returns at once where libvirt is not installed.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        // The library loads and the daemon answers on a thread that nobody waits for.
        await Task.Yield();
        if (!LibVirt.IsPresent)
        {
            Fail(Absence.NotPresent, $"{LibVirt.Library} is not installed");
            return;
        }

        TimeSpan pause = options.ReconnectPause;
        while (true)
        {
            long connected = Status.Connections;
            try
            {
                await FollowAsync(cancellationToken);
                Fail(Absence.NotPresent, "the connection was closed");
            }
            catch (LibvirtException e)
            {
                Fail(e.Reason, e.Message);
            }

            pause = Status.Connections != connected ? options.ReconnectPause : pause;
            // Jitter: all agents of a rack lose an updated daemon at once.
            await Task.Delay(pause * (0.75 + (Jitter() / 2)), time, cancellationToken);
            pause = pause * 2 < options.LongestReconnectPause ? pause * 2 : options.LongestReconnectPause;
        }
    }

    /// <summary>Halt-polling of a domain, asked now; null where libvirt does not tell.</summary>
    internal HaltPoll? HaltPoll(string uuid)
    {
        try
        {
            return Volatile.Read(ref _connection)?.HaltPoll(uuid);
        }
        catch (Exception e) when (e is LibvirtException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>
    /// Looks at a domain again of which nothing was told: a libvirtd that is just starting can lose a domain without a word. Does not
    /// block; <see cref="Changed"/> follows only if there is news.
    /// </summary>
    internal void AskAgain(string uuid) => _ = Volatile.Read(ref _events)?.TryWrite(new DomainEvent(uuid, DomainEventKind.AskedAgain, 0));

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        Channel<DomainEvent> events = Channel.CreateBounded<DomainEvent>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
        using LibvirtConnection connection = new(options.LibvirtUri!, happened => Queue(events.Writer, happened), () => events.Writer.TryComplete());
        try
        {
            // Listed after the registration: what happens in between is told, too.
            ListAll(connection);
            Volatile.Write(ref _connection, connection);
            Volatile.Write(ref _events, events.Writer);
            Volatile.Write(ref _status, Status with { Connected = true, Connections = Status.Connections + 1, Message = "" });
            Log.Connected(logger, options.LibvirtUri!, Domains.Count);
            Changed?.Invoke([]);
            while (await events.Reader.WaitToReadAsync(cancellationToken))
            {
                ImmutableArray<DomainEvent>.Builder batch = ImmutableArray.CreateBuilder<DomainEvent>();
                while (batch.Count < QueueLength && events.Reader.TryRead(out DomainEvent happened))
                {
                    batch.Add(happened);
                }

                ImmutableDictionary<string, DomainFacts> before = Domains;
                if (Interlocked.Exchange(ref _missed, 0) > 0)
                {
                    ListAll(connection);
                }
                else
                {
                    Refresh(connection, batch.Select(happened => happened.Uuid).Distinct());
                }

                int told = batch.Count(happened => happened.Kind != DomainEventKind.AskedAgain);
                Volatile.Write(ref _status, Status with { Events = Status.Events + told });
                if (told > 0 || batch.Any(asked => before.GetValueOrDefault(asked.Uuid)?.State != Domains.GetValueOrDefault(asked.Uuid)?.State))
                {
                    Changed?.Invoke(batch.ToImmutable());
                }
            }
        }
        finally
        {
            Volatile.Write(ref _connection, null);
            Volatile.Write(ref _events, null);
        }
    }

    // libvirt's thread: a full queue drops the event, and the next one leads to a whole list.
    private void Queue(ChannelWriter<DomainEvent> writer, DomainEvent happened)
    {
        if (!writer.TryWrite(happened))
        {
            _ = Interlocked.Exchange(ref _missed, 1);
        }
    }

    private void ListAll(LibvirtConnection connection) =>
        Volatile.Write(ref _domains, connection.ListDomains().DistinctBy(domain => domain.Uuid).ToImmutableDictionary(domain => domain.Uuid));

    private void Refresh(LibvirtConnection connection, IEnumerable<string> uuids)
    {
        ImmutableDictionary<string, DomainFacts> domains = Domains;
        foreach (string uuid in uuids)
        {
            domains = connection.Find(uuid) is { } facts ? domains.SetItem(uuid, facts) : domains.Remove(uuid);
        }

        Volatile.Write(ref _domains, domains);
    }

    private void Fail(Absence reason, string message)
    {
        LibvirtStatus before = Status;
        Volatile.Write(ref _status, before with { Connected = false, Reason = reason, Message = message });
        if (before.Connected || before.Message != message)
        {
            Log.Unconnected(logger, options.LibvirtUri!, reason, message);
        }
    }

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It spreads retries; nothing depends on it being unguessable.")]
    private static double Jitter() => Random.Shared.NextDouble();

    private static partial class Log
    {
        [LoggerMessage(EventId = 6001, Level = LogLevel.Information, Message = "libvirt at {Uri}: connected, {Domains} domains")]
        internal static partial void Connected(ILogger logger, string uri, int domains);

        [LoggerMessage(EventId = 6002, Level = LogLevel.Warning, Message = "libvirt at {Uri}: no connection ({Reason}): {Problem}. Machines are known by their processes; names and owners as last heard")]
        internal static partial void Unconnected(ILogger logger, string uri, Absence reason, string problem);
    }
}
