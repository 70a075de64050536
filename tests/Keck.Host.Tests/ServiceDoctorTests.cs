using System.Net;
using System.Net.Sockets;
using Keck.Bpf;

namespace Keck.Host.Tests;

public sealed class ServiceDoctorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-doctor-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Examine_AllThere_IsFineAndNothingIsMade()
    {
        string process = Path.Combine(_folder, "proc", "7");
        _ = Directory.CreateDirectory(process);
        File.WriteAllText(Path.Combine(process, "smaps_rollup"), "Pss: 12 kB\n");
        CapabilityCheck[] checks = Examine(
            new HostOptions { ProcRoot = Path.Combine(_folder, "proc"), Listen = "127.0.0.1:0", Socket = Path.Combine(_folder, "run/host.sock"), State = Path.Combine(_folder, "state") });
        Assert.All(checks, check => Assert.True(check.Ok, $"{check.Name}: {check.Found}"));
        Assert.Contains("PSS of 1 processes", checks[0].Found, StringComparison.Ordinal);
        Assert.Equal([Path.Combine(_folder, "proc")], Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void Examine_PortTaken_IsSaid()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        CapabilityCheck[] checks = Examine(new HostOptions { Listen = other.LocalEndpoint.ToString(), Socket = null, State = null });
        Assert.Contains("is taken", Assert.Single(checks, check => check.Name == "address").Found, StringComparison.Ordinal);
        Assert.DoesNotContain(checks, check => check.Name is "unix socket" or "state folder");
    }

    [Fact]
    public void Examine_StateWhereNothingCanBe_SaysWhatIsLost()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        CapabilityCheck check = Assert.Single(Examine(new HostOptions { Listen = null, Socket = null, State = Path.Combine(file, "keck") }), check => check.Name == "state folder");
        Assert.False(check.Ok);
        Assert.Contains($"{file} is no folder", check.Found, StringComparison.Ordinal);
        Assert.Contains("--state", check.Mend, StringComparison.Ordinal);
    }

    private static CapabilityCheck[] Examine(HostOptions options) => [.. ServiceDoctor.Examine(options)];
}
