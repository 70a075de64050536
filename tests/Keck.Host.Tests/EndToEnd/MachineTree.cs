using System.Globalization;
using System.Text;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary>
/// The two-socket fixture as a machine that lives: its RAPL counters rise and wrap as powercap's do, its threads run. What it
/// was given is the truth that the agent is held against.
/// </summary>
internal sealed class MachineTree : IDisposable
{
    /// <summary>Zone of package 0; nginx (4711) runs there.</summary>
    internal const string Package0 = "intel-rapl:0";

    /// <summary>Zone of package 1; postgres (4812) runs there.</summary>
    internal const string Package1 = "intel-rapl:1";

    /// <summary>The zone that counts package 0 once more.</summary>
    internal const string Twin = "intel-rapl-mmio:0";

    // As wide as any value: a write is one pwrite of the same length, and no reader sees half of it.
    private const int Width = 24;
    private readonly HostTree _tree = Fixtures.Host("two-sockets").CopyToTemp();
    private readonly Dictionary<string, long> _values = [];
    private readonly Dictionary<string, long> _ranges = [];
    private readonly Dictionary<int, long> _ran = [];
    private long _user = 2_007_720, _idle = 143_866_680;

    internal MachineTree(bool twin = false)
    {
        if (!twin)
        {
            _tree.RemoveSys("class/powercap/intel-rapl-mmio:0:0");
            _tree.RemoveSys("class/powercap/intel-rapl-mmio:0");
        }

        foreach (string zone in Directory.EnumerateDirectories(Path.Combine(Sys, "class/powercap"), "*:*").Select(Path.GetFileName).OfType<string>())
        {
            _ranges[zone] = long.Parse(File.ReadAllText(Path.Combine(Sys, "class/powercap", zone, "max_energy_range_uj")), CultureInfo.InvariantCulture);
            Set(zone, long.Parse(File.ReadAllText(Counter(zone)), CultureInfo.InvariantCulture));
        }

        SeenOn(4812, 5);
    }

    internal string Sys => _tree.Sys;

    internal string Proc => _tree.Proc;

    /// <summary>Path of a zone's counter.</summary>
    internal string Counter(string zone) => Path.Combine(Sys, "class/powercap", zone, "energy_uj");

    /// <summary>The counter's value, µJ.</summary>
    internal long Value(string zone) => _values[zone];

    /// <summary>max_energy_range_uj.</summary>
    internal long Range(string zone) => _ranges[zone];

    /// <summary>Makes a counter smaller or larger; before the agent starts.</summary>
    internal void SetRange(string zone, long microjoules)
    {
        _ranges[zone] = microjoules;
        _tree.WriteSys($"class/powercap/{zone}/max_energy_range_uj", microjoules.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Puts the counter to a value, where it is whole.</summary>
    internal void Set(string zone, long microjoules)
    {
        _values[zone] = microjoules;
        Overwrite(Counter(zone), microjoules.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Puts any text where the counter is.</summary>
    internal void Spoil(string zone, string text) => Overwrite(Counter(zone), text);

    /// <summary>Counts energy; over the range it starts again.</summary>
    internal void Add(string zone, long microjoules) => Set(zone, (_values[zone] + microjoules) % Range(zone));

    /// <summary>Counts energy in a counter that nobody can read for now.</summary>
    internal void AddUnseen(string zone, long microjoules) => _values[zone] = (_values[zone] + microjoules) % Range(zone);

    /// <summary>The counter shows its value again, under a new file if need be.</summary>
    internal void Restore(string zone)
    {
        if (Directory.Exists(Counter(zone)))
        {
            Directory.Delete(Counter(zone));
        }

        _ = Directory.CreateDirectory(Path.GetDirectoryName(Counter(zone))!);
        Set(zone, _values[zone]);
    }

    /// <summary>A thread of nginx or postgres runs.</summary>
    internal void Run(int pid, int milliseconds)
    {
        string file = Path.Combine(Proc, $"{pid}", "task", $"{pid}", "schedstat");
        long ran = _ran.TryGetValue(pid, out long before)
            ? before
            : long.Parse(File.ReadAllText(file).Split(' ')[0], CultureInfo.InvariantCulture);
        _ran[pid] = ran += milliseconds * 1_000_000L;
        Overwrite(file, $"{ran} 1 1");
    }

    /// <summary>The CPU, of one digit, that a thread was last seen on (field 39 of its stat, after the exit signal).</summary>
    internal void SeenOn(int pid, int cpu)
    {
        string file = Path.Combine(Proc, $"{pid}", "task", $"{pid}", "stat");
        byte[] text = File.ReadAllBytes(file);
        text[text.AsSpan().IndexOf(" 17 "u8) + 4] = (byte)('0' + cpu);
        using FileStream stat = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stat.Write(text);
    }

    /// <summary>Every counter but package 0's rises by a microjoule, as those of a machine do that is on.</summary>
    internal void Breathe()
    {
        foreach (string zone in _values.Keys.Where(zone => zone != Package0))
        {
            Add(zone, 1);
        }
    }

    /// <summary>Ticks of all CPUs pass, some of them in user code.</summary>
    internal void Tick(int busy, int idle)
    {
        string line = $"cpu  {_user} 640 507640 {_idle} 32000 ";
        (_user, _idle) = (_user + busy, _idle + idle);
        string file = Path.Combine(Proc, "stat");
        string text = File.ReadAllText(file);
        Assert.StartsWith(line, text, StringComparison.Ordinal);
        using FileStream stat = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stat.Write(Encoding.ASCII.GetBytes($"cpu  {_user} 640 507640 {_idle} 32000 {text[line.Length..]}"));
    }

    /// <summary>Both packages work: as many joules each as asked for, nginx and postgres 20 ms.</summary>
    internal void Work(long microjoules)
    {
        Run(4711, 20);
        Run(4812, 20);
        Add(Package0, microjoules);
        Add(Package1, microjoules);
    }

    /// <summary>Writes a file below sys.</summary>
    internal void WriteSys(string path, string text) => _tree.WriteSys(path, text);

    /// <summary>Removes a file or folder below sys.</summary>
    internal void RemoveSys(string path) => _tree.RemoveSys(path);

    public void Dispose() => _tree.Dispose();

    private static void Overwrite(string path, string text)
    {
        using FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.ASCII.GetBytes(text.PadRight(Width) + "\n"));
    }
}
