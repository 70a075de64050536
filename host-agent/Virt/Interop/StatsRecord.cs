using System.Runtime.InteropServices;

namespace Keck.Virt.Interop;

/// <summary><c>struct _virDomainStatsRecord</c>, &lt;libvirt/libvirt-domain.h&gt;, 24 bytes: one domain's statistics.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatsRecord
{
    /// <summary>Whose; goes with the list.</summary>
    internal nint Domain;

    /// <summary>Array of <c>virTypedParameter</c>, read by name only.</summary>
    internal nint Parameters;

    /// <summary>How many parameters.</summary>
    internal int Count;
}
