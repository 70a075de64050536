namespace Keck.Virt;

/// <summary>What can happen to a machine.</summary>
public enum MachineEventKind
{
    /// <summary>libvirt knows of it now, or knows it otherwise.</summary>
    Defined,

    /// <summary>libvirt has forgotten it.</summary>
    Undefined,

    /// <summary>It was started here.</summary>
    Started,

    /// <summary>It came here from another host.</summary>
    MigratedIn,

    /// <summary>It stands still.</summary>
    Paused,

    /// <summary>It goes on.</summary>
    Resumed,

    /// <summary>Its guest was told to shut down and is about to.</summary>
    ShuttingDown,

    /// <summary>It has ended.</summary>
    Stopped,

    /// <summary>It has left for another host.</summary>
    MigratedOut,

    /// <summary>Its metadata changed: look at its owner again.</summary>
    MetadataChanged,
}

/// <summary>Something that libvirt told about a machine.</summary>
/// <param name="Uuid">The domain's UUID (under KubeVirt the machine's <see cref="Machine.SystemUuid"/>).</param>
/// <param name="Kind">What happened.</param>
public readonly record struct MachineEvent(string Uuid, MachineEventKind Kind)
{
    internal const int Migrated = 1;     // <libvirt/libvirt-domain.h> VIR_DOMAIN_EVENT_STARTED_MIGRATED
    internal const int MigratedAway = 3; // <libvirt/libvirt-domain.h> VIR_DOMAIN_EVENT_STOPPED_MIGRATED

    internal static MachineEvent? From(DomainEvent happened)
    {
        MachineEventKind? kind = happened.Kind switch
        {
            DomainEventKind.Defined => MachineEventKind.Defined,
            DomainEventKind.Undefined => MachineEventKind.Undefined,
            DomainEventKind.Started => happened.Detail == Migrated ? MachineEventKind.MigratedIn : MachineEventKind.Started,
            DomainEventKind.Suspended or DomainEventKind.PowerSuspended => MachineEventKind.Paused,
            DomainEventKind.Resumed => MachineEventKind.Resumed,
            DomainEventKind.Shutdown => MachineEventKind.ShuttingDown,
            DomainEventKind.Stopped => happened.Detail == MigratedAway ? MachineEventKind.MigratedOut : MachineEventKind.Stopped,
            DomainEventKind.Crashed => MachineEventKind.Stopped,
            DomainEventKind.MetadataChanged => MachineEventKind.MetadataChanged,
            _ => null,
        };
        return kind is { } known ? new MachineEvent(happened.Uuid, known) : null;
    }
}
