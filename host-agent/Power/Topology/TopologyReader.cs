using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// Reads <c>devices/system/cpu</c>. Numbers of packages and cores, once given, stay while the agent runs: a CPU that goes
/// offline leaves a hole and renumbers nobody.
/// </summary>
internal sealed class TopologyReader(ISystemFiles files, PowerOptions options)
{
    private readonly string _root = Path.Combine(options.SysRoot, "devices", "system", "cpu");
    private readonly Dictionary<(int Physical, int Die), int> _packages = [];
    private readonly Dictionary<(int Package, int Die, int Core), int> _cores = [];

    /// <summary>Who the CPUs are.</summary>
    internal CpuIdentity ReadIdentity() => CpuIdentity.Parse(files.ReadText(Path.Combine(options.ProcRoot, "cpuinfo")).Text);

    /// <summary>Which CPUs are online now and where they sit.</summary>
    internal HostTopology Read(CpuIdentity identity)
    {
        (ImmutableArray<int> online, MeterProblem? problem) = Online();
        bool dies = DiesArePackages();
        List<(int Cpu, int Physical, int Die, int CoreId)> raw = [];
        foreach (int cpu in online)
        {
            string topology = Path.Combine(_root, $"cpu{cpu}", "topology");
            int? core = Number(topology, "core_id");
            if (core is null && CpuList.Parse(files.ReadText(Path.Combine(topology, "thread_siblings_list")).Text) is [int first, ..])
            {
                core = first;
            }

            // Without any topology (some ARM, a garbled tree) a CPU is its own core; a distance keeps it from a real core's id.
            raw.Add((cpu, Number(topology, "physical_package_id") ?? 0, Number(topology, "die_id") ?? 0, core ?? CpuList.Limit + cpu));
        }

        foreach ((int Physical, int Die) package in raw.Select(place => (place.Physical, dies ? place.Die : 0)).Distinct().Order())
        {
            _ = _packages.TryAdd(package, _packages.Count);
        }

        IEnumerable<(int Package, int Die, int Core)> cores =
            raw.Select(place => (_packages[(place.Physical, dies ? place.Die : 0)], place.Die, place.CoreId)).Distinct().Order();
        foreach ((int Package, int Die, int Core) core in cores)
        {
            _ = _cores.TryAdd(core, _cores.Count);
        }

        List<CpuPlace> places = [];
        foreach ((int cpu, int physical, int die, int coreId) in raw)
        {
            int package = _packages[(physical, dies ? die : 0)];
            places.Add(new CpuPlace(cpu, _cores[(package, die, coreId)], package, NodeOf(cpu)));
        }

        Topology cpus = new(places, BaseFrequency(online, identity)) { MemoryKibibytes = Memory() };
        return new HostTopology(cpus, _packages.ToFrozenDictionary(), problem);
    }

    private (ImmutableArray<int> Cpus, MeterProblem? Problem) Online()
    {
        string path = Path.Combine(_root, "online");
        FileText text = files.ReadText(path);
        if (text.Fault == FileFault.None && CpuList.Parse(text.Text) is { Length: > 0 } online)
        {
            return (online, null);
        }

        // The directories are the next best: all CPUs present, less those that say they are offline.
        ImmutableArray<int> present =
        [
            .. files.List(_root)
                .Where(name => name.StartsWith("cpu", StringComparison.Ordinal))
                .Select(name => int.TryParse(name.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) ? cpu : -1)
                .Where(cpu => cpu is >= 0 and < CpuList.Limit && files.ReadText(Path.Combine(_root, $"cpu{cpu}", "online")).Text != "0")
                .Order(),
        ];
        string what = text.Fault == FileFault.None
            ? $"{path} holds no list of CPUs"
            : FileProblems.Of(text.Fault, path, "").What;
        return present.IsEmpty
            ? (present, new(Absence.NotPresent, $"{what} and {_root} has no cpuN directories: no CPU is known", "check that sysfs is mounted and --path.sysfs is its root"))
            : (present, new(Absence.Malformed, $"{what}: the {present.Length} cpuN directories are taken for the CPUs online"));
    }

    /// <summary>
    /// RAPL has one zone per die on some Intel packages (Cascade Lake-AP) and says so in the zones' names; each such die is
    /// a package to us, since that is what a meter covers. die_id alone does not tell: AMD fills it and counts per package.
    /// </summary>
    private bool DiesArePackages()
    {
        string powercap = Path.Combine(options.SysRoot, "class", "powercap");
        return files.List(powercap).Any(zone =>
            files.ReadText(Path.Combine(powercap, zone, "name")).Text.Contains("-die-", StringComparison.Ordinal));
    }

    private int NodeOf(int cpu)
    {
        foreach (string name in files.List(Path.Combine(_root, $"cpu{cpu}")))
        {
            if (name.StartsWith("node", StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int node))
            {
                return node;
            }
        }

        return 0;
    }

    /// <summary>base_frequency (intel_pstate), else the name's nominal figure, else the maximum, else the frequency at the start.</summary>
    private Kilohertz? BaseFrequency(ImmutableArray<int> online, CpuIdentity identity)
    {
        if (online.IsEmpty)
        {
            return null;
        }

        string cpufreq = Path.Combine(_root, $"cpu{online[0]}", "cpufreq");
        long? kiloHertz = Positive(cpufreq, "base_frequency") ?? identity.NominalKiloHertz
            ?? Positive(cpufreq, "cpuinfo_max_freq") ?? identity.CurrentKiloHertz;
        return kiloHertz is { } value ? new Kilohertz(value) : null;
    }

    /// <summary>MemTotal of /proc/meminfo, such as <c>MemTotal:       24656048 kB</c>; null where it does not say.</summary>
    private long? Memory()
    {
        ReadOnlySpan<char> text = files.ReadText(Path.Combine(options.ProcRoot, "meminfo")).Text;
        const string Key = "MemTotal:";
        int at = text.IndexOf(Key, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        ReadOnlySpan<char> rest = text[(at + Key.Length)..].TrimStart(' ');
        int end = rest.IndexOf(' ');
        return end > 0 && long.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) && kibibytes > 0 ? kibibytes : null;
    }

    private long? Positive(string directory, string name)
    {
        FileNumber number = files.ReadText(Path.Combine(directory, name)).Number;
        return number is { Fault: FileFault.None, Value: > 0 } ? number.Value : null;
    }

    private int? Number(string directory, string name)
    {
        FileNumber number = files.ReadText(Path.Combine(directory, name)).Number;
        return number is { Fault: FileFault.None, Value: <= int.MaxValue } ? (int)number.Value : null;
    }
}
