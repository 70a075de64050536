using Keck.Tests;

namespace Keck.Virt.Tests;

/// <summary>Command lines, cgroups and XML of every manager, against goldens.</summary>
public sealed class FixtureTests
{
    private const int Pid = 4700;
    private const int LauncherPid = 4600;
    private const int DaemonPid = 4500;

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Repository.PathOf("tests", "fixtures", "machines")).Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_Fixture_IsAsInTheGolden(string name)
    {
        string folder = Repository.PathOf("tests", "fixtures", "machines", name);
        using ProcTree tree = new();
        string? launcher = Lines(folder, "launcher") is { } launched ? "virt-launcher" : null;
        if (launcher is not null)
        {
            tree.Process(LauncherPid, launcher, Lines(folder, "launcher")!);
        }

        tree.Process(Pid, "qemu (x) S", Lines(folder, "argv")!, File.ReadAllText(Path.Combine(folder, "cgroup")), launcher is null ? 1 : LauncherPid, 81_100);
        HypervisorReader reader = new(tree.Proc);
        Assert.True(reader.TryRead(Pid, out HypervisorProcess? seen, out _));
        Dictionary<string, string> hybrid = [];
        if (Lines(folder, "daemon") is { } daemon)
        {
            tree.Process(DaemonPid, "vhost-device-vs", daemon);
            Assert.True(reader.TryRead(DaemonPid, out _, out (MachineProcess, VsockDaemon Daemon)? serving));
            hybrid = serving!.Value.Daemon.Guests.ToDictionary(guest => guest.Control, guest => guest.Channel);
        }

        string xml = Path.Combine(folder, "domain.xml");
        DomainFacts? facts = File.Exists(xml) ? DomainXml.Parse(File.ReadAllText(xml)) : null;
        Dictionary<string, DomainFacts> domains = facts is null ? [] : new() { [facts.Uuid] = facts with { State = MachineState.Running } };
        Machine machine = MachineBuilder.Create(seen!, domains, hybrid, [], "host-a");
        string text = MachineText.Of(machine);
        Golden.Equal($"xml: {(File.Exists(xml) ? facts is null ? "refused" : "read" : "none")}\n{text}", "tests", "fixtures", "machines", name, "machine.golden");
    }

    private static string[]? Lines(string folder, string file)
    {
        string path = Path.Combine(folder, file);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n').Split('\n') : null;
    }
}
