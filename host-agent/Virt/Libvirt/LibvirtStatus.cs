using Keck.Metering;

namespace Keck.Virt;

/// <summary>How the connection to libvirt stands.</summary>
/// <param name="Wanted">Whether a URI is configured.</param>
/// <param name="Connected">Whether it is there now.</param>
/// <param name="Connections">How many connections have been made since the start; more than one: it was lost.</param>
/// <param name="Events">Lifecycle events told.</param>
/// <param name="Reason">Why there is no connection; meaningless while there is one.</param>
/// <param name="Message">The same in libvirt's words; empty while there is one.</param>
public sealed record LibvirtStatus(bool Wanted, bool Connected, long Connections, long Events, Absence Reason, string Message)
{
    internal static LibvirtStatus Unwanted { get; } = new(false, false, 0, 0, Absence.NotPresent, "not configured");
}
