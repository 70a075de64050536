using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Keck.Virt.Interop;

/// <summary>A read-only connection that watches domains. Its calls block while the daemon answers; none may be made from a callback.</summary>
internal sealed unsafe class LibvirtConnection : IDisposable
{
    private const int KeepAliveSeconds = 5;
    private const int KeepAliveCount = 3;

    // Callbacks carry a number, not an object: one that comes late finds nobody.
    private static readonly ConcurrentDictionary<nint, LibvirtConnection> Open = new();
    private static long _last;

    private readonly SafeConnection _connection;
    private readonly nint _key;
    private readonly Action<DomainEvent> _onEvent;
    private readonly Action _onClosed;
    private readonly List<int> _callbacks = [];

    /// <summary>Connects, and calls back from then on: on libvirt's thread, which must not be kept.</summary>
    /// <exception cref="LibvirtException">There is no daemon, or it refuses.</exception>
    internal LibvirtConnection(string uri, Action<DomainEvent> onEvent, Action onClosed)
    {
        LibvirtEventLoop.Start();
        _onEvent = onEvent;
        _onClosed = onClosed;
        _connection = LibVirt.OpenReadOnly(uri);
        if (_connection.IsInvalid)
        {
            LibvirtException error = LibvirtException.Last("virConnectOpenReadOnly");
            _connection.Dispose();
            throw error;
        }

        _key = (nint)Interlocked.Increment(ref _last);
        Open[_key] = this;
        // SAFETY: the callbacks are static, have the signatures that <libvirt/libvirt-domain.h> gives these events, and get a number.
        unsafe
        {
            // The test driver has neither; a daemon without keepalive is noticed by its socket's end.
            _ = LibVirt.RegisterClose(_connection, &OnClosed, _key, 0);
            _ = LibVirt.SetKeepAlive(_connection, KeepAliveSeconds, KeepAliveCount);
            delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, int> lifecycle = &OnLifecycle;
            int callback = LibVirt.RegisterEvent(_connection, 0, LibVirt.EventLifecycle, lifecycle, _key, 0);
            if (callback < 0)
            {
                LibvirtException error = LibvirtException.Last("virConnectDomainEventRegisterAny");
                Dispose();
                throw error;
            }

            _callbacks.Add(callback);
            delegate* unmanaged[Cdecl]<nint, nint, int, byte*, nint, void> metadata = &OnMetadata;
            callback = LibVirt.RegisterEvent(_connection, 0, LibVirt.EventMetadataChange, metadata, _key, 0);
            if (callback >= 0)
            {
                _callbacks.Add(callback);
            }
        }
    }

    /// <summary>Whether the daemon is still there, as far as the socket tells.</summary>
    internal bool IsAlive => LibVirt.IsAlive(_connection) == 1;

    /// <summary>All domains, defined and running ones; one that vanishes meanwhile is left out.</summary>
    /// <exception cref="LibvirtException">The connection broke.</exception>
    internal ImmutableArray<DomainFacts> ListDomains()
    {
        nint* domains = null;
        int count;
        // SAFETY: libvirt allocates the array and as many domains as it returns; each handle frees its domain, the array is freed once.
        unsafe
        {
            count = LibVirt.ListAllDomains(_connection, &domains, 0);
            if (count < 0)
            {
                throw LibvirtException.Last("virConnectListAllDomains");
            }

            SafeDomain[] handles = new SafeDomain[count];
            for (int i = 0; i < count; i++)
            {
                handles[i] = new SafeDomain(domains[i]);
            }

            LibVirt.Free(domains);
            try
            {
                return [.. handles.Select(Describe).OfType<DomainFacts>()];
            }
            finally
            {
                foreach (SafeDomain handle in handles)
                {
                    handle.Dispose();
                }
            }
        }
    }

    /// <summary>One domain; null when it is gone, or when its XML cannot be read.</summary>
    /// <exception cref="LibvirtException">The connection broke.</exception>
    internal DomainFacts? Find(string uuid)
    {
        using SafeDomain? domain = Lookup(uuid);
        return domain is null ? null : Describe(domain);
    }

    /// <summary>Halt-polling of a running domain, from the daemon, which may read what we may not; null where it does not tell.</summary>
    /// <exception cref="LibvirtException">The connection broke.</exception>
    internal HaltPoll? HaltPoll(string uuid)
    {
        using SafeDomain? domain = Lookup(uuid);
        if (domain is null)
        {
            return null;
        }

        StatsRecord** records = null;
        // SAFETY: the list of one domain ends in null and the domain outlives the call; libvirt allocates the records, which are freed once.
        unsafe
        {
            nint* domains = stackalloc nint[] { domain.DangerousGetHandle(), 0 };
            int count = LibVirt.GetStats(domains, LibVirt.StatsCpuTotal, &records, LibVirt.StatsNoWait);
            if (count < 0)
            {
                return null;
            }

            try
            {
                ulong success = 0;
                ulong fail = 0;
                bool told = count == 1
                    && LibVirt.GetUnsigned(records[0]->Parameters, records[0]->Count, "cpu.haltpoll.success.time", &success) == 1
                    && LibVirt.GetUnsigned(records[0]->Parameters, records[0]->Count, "cpu.haltpoll.fail.time", &fail) == 1;
                return told ? new HaltPoll((long)Math.Min(success, long.MaxValue), (long)Math.Min(fail, long.MaxValue)) : null;
            }
            finally
            {
                LibVirt.FreeStats(records);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Open.TryRemove(_key, out _);
        if (!_connection.IsInvalid && !_connection.IsClosed)
        {
            foreach (int callback in _callbacks)
            {
                _ = LibVirt.DeregisterEvent(_connection, callback);
            }

            // SAFETY: a static callback; libvirt drops its own reference with it.
            unsafe
            {
                _ = LibVirt.UnregisterClose(_connection, &OnClosed);
            }
        }

        _connection.Dispose();
    }

    private SafeDomain? Lookup(string uuid)
    {
        Span<byte> bytes = stackalloc byte[LibVirt.UuidSize];
        _ = Guid.Parse(uuid).TryWriteBytes(bytes, bigEndian: true, out _);
        nint found;
        // SAFETY: the call reads the 16 bytes.
        fixed (byte* pointer = bytes)
        {
            found = LibVirt.LookupByUuid(_connection, pointer);
        }

        return found != 0 ? new SafeDomain(found)
            : LibVirt.LastErrorCode() == LibVirt.ErrorNoDomain ? null
            : throw LibvirtException.Last("virDomainLookupByUUID");
    }

    private DomainFacts? Describe(SafeDomain domain)
    {
        int state = 0;
        // SAFETY: state is a local of ours; the XML is NUL-terminated and freed once.
        unsafe
        {
            byte* xml = LibVirt.GetState(domain, &state, null, 0) < 0 ? null : LibVirt.GetXml(domain, 0);
            if (xml is null)
            {
                return LibVirt.LastErrorCode() == LibVirt.ErrorNoDomain || IsAlive ? null : throw LibvirtException.Last("virDomainGetXMLDesc");
            }

            try
            {
                ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(xml);
                // Larger than that no domain is: what follows cannot be read anyway.
                return text.Length > DomainXml.CharacterLimit ? null : DomainXml.Parse(Encoding.UTF8.GetString(text)) is { } facts ? facts with { State = State(state) } : null;
            }
            finally
            {
                LibVirt.Free(xml);
            }
        }
    }

    private static MachineState State(int state) => state switch
    {
        LibVirt.StateRunning or LibVirt.StateBlocked or LibVirt.StateShutdown => MachineState.Running,
        LibVirt.StatePaused or LibVirt.StatePowerSuspended => MachineState.Paused,
        LibVirt.StateShutoff or LibVirt.StateCrashed => MachineState.Stopped,
        _ => MachineState.Unknown,
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnLifecycle(nint connection, nint domain, int kind, int detail, nint opaque)
    {
        Tell(domain, (DomainEventKind)kind, detail, opaque);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMetadata(nint connection, nint domain, int type, byte* space, nint opaque) =>
        Tell(domain, DomainEventKind.MetadataChanged, 0, opaque);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnClosed(nint connection, int reason, nint opaque)
    {
        if (Open.TryGetValue(opaque, out LibvirtConnection? target))
        {
            target._onClosed();
        }
    }

    private static void Tell(nint domain, DomainEventKind kind, int detail, nint opaque)
    {
        byte* uuid = stackalloc byte[LibVirt.UuidSize];
        // SAFETY: libvirt keeps the domain for the time of the callback and writes 16 bytes.
        unsafe
        {
            if (Open.TryGetValue(opaque, out LibvirtConnection? target) && LibVirt.GetUuid(domain, uuid) == 0)
            {
                Guid id = new(new ReadOnlySpan<byte>(uuid, LibVirt.UuidSize), bigEndian: true);
                target._onEvent(new DomainEvent(id.ToString("D"), kind, detail));
            }
        }
    }
}
