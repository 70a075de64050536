using Keck.Metering;

namespace Keck.Workloads;

/// <summary>What the scanner remembers of a process between two scans.</summary>
internal struct KnownProcess
{
    /// <summary>What the tick thread was told, or will be.</summary>
    internal ProcessFact Fact;

    /// <summary>Whether the tick thread has yet to be told.</summary>
    internal bool Untold;

    /// <summary>Number of the last scan that saw the pid.</summary>
    internal long Seen;

    /// <summary>Visits since this process was first seen.</summary>
    internal int Visits;

    /// <summary>Visits since its PSS was read.</summary>
    internal int VisitsSincePss;

    /// <summary>RSS when its PSS was read, pages; <see cref="Unobserved.Value"/> before.</summary>
    internal long PssPages;

    /// <summary>Why its PSS could not be read last time; null where it could.</summary>
    internal Absence? PssFault;

    /// <summary>Why its cgroup could not be read last time; null where it could.</summary>
    internal Absence? CgroupFault;
}
