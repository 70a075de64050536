namespace Keck.Virt;

/// <summary>What happened to a domain; numbers of <c>virDomainEventType</c>, &lt;libvirt/libvirt-domain.h&gt;.</summary>
internal enum DomainEventKind
{
    Defined = 0,
    Undefined = 1,
    Started = 2,
    Suspended = 3,
    Resumed = 4,
    Stopped = 5,
    Shutdown = 6,
    PowerSuspended = 7,
    Crashed = 8,

    /// <summary>Its metadata changed (a libvirt event of its own).</summary>
    MetadataChanged = 1000,

    /// <summary>Nothing was told: we ask by ourselves, because its process is gone.</summary>
    AskedAgain = 1001,
}

/// <summary>One event of libvirt's.</summary>
/// <param name="Uuid">The domain.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Detail">Why, by kind: <c>virDomainEvent…DetailType</c>; 3 of Stopped is "migrated away", 1 of Started is "migrated here".</param>
internal readonly record struct DomainEvent(string Uuid, DomainEventKind Kind, int Detail);
