using System.Runtime.InteropServices;

namespace Keck.Virt.Interop;

/// <summary>libvirt 1.2.9 and later (&lt;libvirt/libvirt.h&gt;, &lt;libvirt/virterror.h&gt;): what watching domains needs, all of it reading.</summary>
internal static unsafe partial class LibVirt
{
    internal const string Library = "libvirt.so.0";
    internal const int UuidSize = 16;                   // <libvirt/libvirt-host.h> VIR_UUID_BUFLEN
    internal const int EventLifecycle = 0;              // <libvirt/libvirt-domain.h> VIR_DOMAIN_EVENT_ID_LIFECYCLE
    internal const int EventMetadataChange = 23;        // <libvirt/libvirt-domain.h> VIR_DOMAIN_EVENT_ID_METADATA_CHANGE
    internal const int StateRunning = 1;                // <libvirt/libvirt-domain.h> VIR_DOMAIN_RUNNING
    internal const int StateBlocked = 2;                // <libvirt/libvirt-domain.h> VIR_DOMAIN_BLOCKED
    internal const int StatePaused = 3;                 // <libvirt/libvirt-domain.h> VIR_DOMAIN_PAUSED
    internal const int StateShutdown = 4;               // <libvirt/libvirt-domain.h> VIR_DOMAIN_SHUTDOWN: being shut down, still running
    internal const int StateShutoff = 5;                // <libvirt/libvirt-domain.h> VIR_DOMAIN_SHUTOFF
    internal const int StateCrashed = 6;                // <libvirt/libvirt-domain.h> VIR_DOMAIN_CRASHED
    internal const int StatePowerSuspended = 7;         // <libvirt/libvirt-domain.h> VIR_DOMAIN_PMSUSPENDED
    internal const int ErrorNoDomain = 42;              // <libvirt/virterror.h> VIR_ERR_NO_DOMAIN
    internal const int ErrorOperationDenied = 29;       // <libvirt/virterror.h> VIR_ERR_OPERATION_DENIED
    internal const int ErrorAuthFailed = 45;            // <libvirt/virterror.h> VIR_ERR_AUTH_FAILED
    internal const int ErrorAuthUnavailable = 94;       // <libvirt/virterror.h> VIR_ERR_AUTH_UNAVAILABLE
    internal const uint StatsCpuTotal = 2;              // <libvirt/libvirt-domain.h> VIR_DOMAIN_STATS_CPU_TOTAL
    internal const uint StatsNoWait = 1u << 29;         // <libvirt/libvirt-domain.h> VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT

    private static bool? _present;

    /// <summary>Whether the library is on this machine. The first call loads it, some 10 MB: ask only when it is wanted.</summary>
    internal static bool IsPresent
    {
        get
        {
            if (_present is not { } present)
            {
                present = NativeLibrary.TryLoad(Library, typeof(LibVirt).Assembly, null, out _);
                _present = present;
            }

            return present;
        }
    }

    /// <summary>virInitialize: 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virInitialize")]
    internal static partial int Initialize();

    /// <summary>virSetErrorFunc: from now on errors go to the handler; without one they go to standard error.</summary>
    [LibraryImport(Library, EntryPoint = "virSetErrorFunc")]
    internal static partial void SetErrorHandler(nint data, delegate* unmanaged[Cdecl]<nint, nint, void> handler);

    /// <summary>virGetLastErrorCode: code of this thread's last error, 0 for none.</summary>
    [LibraryImport(Library, EntryPoint = "virGetLastErrorCode")]
    internal static partial int LastErrorCode();

    /// <summary>virGetLastErrorMessage: this thread's last error in words; owned by libvirt, never null.</summary>
    [LibraryImport(Library, EntryPoint = "virGetLastErrorMessage")]
    internal static partial byte* LastErrorMessage();

    /// <summary>virEventRegisterDefaultImpl: 0, or -1; before the first connection, once a process.</summary>
    [LibraryImport(Library, EntryPoint = "virEventRegisterDefaultImpl")]
    internal static partial int RegisterEventLoop();

    /// <summary>virEventRunDefaultImpl: one turn of the loop, blocks until something happens; 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virEventRunDefaultImpl")]
    internal static partial int RunEventLoop();

    /// <summary>virEventAddTimeout: a timer's number, or -1; a frequency of -1 ms never fires. Without any timer or handle the loop fails.</summary>
    [LibraryImport(Library, EntryPoint = "virEventAddTimeout")]
    internal static partial int AddTimeout(int milliseconds, delegate* unmanaged[Cdecl]<int, nint, void> callback, nint opaque, nint free);

    /// <summary>virConnectOpenReadOnly: a connection the caller closes, or null. Blocks while the daemon answers.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectOpenReadOnly", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeConnection OpenReadOnly(string uri);

    /// <summary>virConnectClose: references that remain, 0 when it is closed, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectClose")]
    internal static partial int Close(nint connection);

    /// <summary>virConnectIsAlive: 1, 0, or -1 on error.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectIsAlive")]
    internal static partial int IsAlive(SafeConnection connection);

    /// <summary>virConnectSetKeepAlive: 0, 1 where the other side cannot, or -1. After <paramref name="count"/> unanswered ones the connection is closed.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectSetKeepAlive")]
    internal static partial int SetKeepAlive(SafeConnection connection, int intervalSeconds, uint count);

    /// <summary>virConnectRegisterCloseCallback: 0, or -1; one callback a connection, called on the loop's thread.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectRegisterCloseCallback")]
    internal static partial int RegisterClose(SafeConnection connection, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback, nint opaque, nint free);

    /// <summary>virConnectUnregisterCloseCallback: 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectUnregisterCloseCallback")]
    internal static partial int UnregisterClose(SafeConnection connection, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback);

    /// <summary>virConnectDomainEventRegisterAny: a callback's number, or -1 (an older daemon does not know every event).</summary>
    [LibraryImport(Library, EntryPoint = "virConnectDomainEventRegisterAny")]
    internal static partial int RegisterEvent(SafeConnection connection, nint domain, int eventId, void* callback, nint opaque, nint free);

    /// <summary>virConnectDomainEventDeregisterAny: 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectDomainEventDeregisterAny")]
    internal static partial int DeregisterEvent(SafeConnection connection, int callback);

    /// <summary>virConnectListAllDomains: how many, or -1; the caller frees each domain and then the array.</summary>
    [LibraryImport(Library, EntryPoint = "virConnectListAllDomains")]
    internal static partial int ListAllDomains(SafeConnection connection, nint** domains, uint flags);

    /// <summary>virDomainLookupByUUID: a domain the caller frees, or null (VIR_ERR_NO_DOMAIN).</summary>
    [LibraryImport(Library, EntryPoint = "virDomainLookupByUUID")]
    internal static partial nint LookupByUuid(SafeConnection connection, byte* uuid);

    /// <summary>virDomainFree: 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainFree")]
    internal static partial int FreeDomain(nint domain);

    /// <summary>virDomainGetUUID: 0, or -1; fills 16 bytes in RFC order. Asks nobody.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainGetUUID")]
    internal static partial int GetUuid(nint domain, byte* uuid);

    /// <summary>virDomainGetState: 0, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainGetState")]
    internal static partial int GetState(SafeDomain domain, int* state, int* reason, uint flags);

    /// <summary>virDomainGetXMLDesc: text the caller frees with free(3), or null.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainGetXMLDesc")]
    internal static partial byte* GetXml(SafeDomain domain, uint flags);

    /// <summary>virDomainListGetStats: how many records, or -1; the caller frees them with virDomainStatsRecordListFree.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainListGetStats")]
    internal static partial int GetStats(nint* domains, uint stats, StatsRecord*** records, uint flags);

    /// <summary>virDomainStatsRecordListFree: frees the records, their domains and the array.</summary>
    [LibraryImport(Library, EntryPoint = "virDomainStatsRecordListFree")]
    internal static partial void FreeStats(StatsRecord** records);

    /// <summary>virTypedParamsGetULLong: 1 where it is there, 0 where not, -1 where it has another type.</summary>
    [LibraryImport(Library, EntryPoint = "virTypedParamsGetULLong", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetUnsigned(nint parameters, int count, string name, ulong* value);

    /// <summary>free(3): for what libvirt hands over.</summary>
    [LibraryImport("libc", EntryPoint = "free")]
    internal static partial void Free(void* memory);
}
