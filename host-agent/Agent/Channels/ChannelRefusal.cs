namespace Keck.Host;

/// <summary>Why a connection was not let in, or was let go for a fault before or after its greeting. The names are labels of a metric.</summary>
internal enum ChannelRefusal
{
    /// <summary>More than one a second, after ten in a row.</summary>
    TooOften,

    /// <summary>The address broke a rule, or came too early, a moment ago.</summary>
    TooSoon,

    /// <summary>The address has four already.</summary>
    TooManyAtAddress,

    /// <summary>All guests together have <see cref="ChannelHub.MostSessions"/>.</summary>
    TooMany,

    /// <summary>A source port of 1024 or more: anybody in the guest.</summary>
    UnprivilegedPort,

    /// <summary>The address is no machine's, or its account has not opened yet.</summary>
    NoMachine,

    /// <summary>It broke a rule of the protocol: garbage, a flood, silence.</summary>
    Protocol,
}
