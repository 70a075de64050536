using System.Net;
using System.Net.Sockets;

namespace Keck.Host.Tests;

/// <summary>What keeps the native agent from starting: each mistake is named once, with what to do, and the exit code tells.</summary>
[Trait("Speed", "slow")]
public sealed class StartFaultTests : IDisposable
{
    private const int Usage = 2;
    private const int Failed = 1;
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-start-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_ManyMistakes_NamesEachOfThemAtOnceAndWhere()
    {
        string config = Write("""{"profile": "turbo", "listn": "127.0.0.1:1", "path": {"sysfs": "/no/such"}, "estimate": "maybe"}""");
        (int code, _, string[] errors) = HostBinary.RunWith(
            new Dictionary<string, string> { ["KECK_IDLE"] = "nobody", ["KECK_MODEL"] = "psychic" },
            "run", "--config", config, "--runs", "magic", "--socket", "none", "--state", "none", "--listen", "127.0.0.1:0");
        Assert.Equal(Usage, code);
        Assert.Collection(
            errors,
            line => AssertNames(line, config, "profile: 'turbo' is none of minimal, standard, full"),
            line => AssertNames(line, config, "'listn' is not a setting"),
            line => AssertNames(line, config, "path.sysfs: '/no/such' is not a directory"),
            line => AssertNames(line, config, "estimate: 'maybe'"),
            line => AssertNames(line, "environment KECK_IDLE", "'nobody'"),
            line => AssertNames(line, "environment KECK_MODEL", "'psychic'"),
            line => AssertNames(line, "--runs", "'magic'"));
    }

    [Theory]
    [InlineData("{\"profile\": \"full\"", "not JSON")]
    [InlineData("profile = full", "not JSON")]
    [InlineData("\0\u0001\u0002", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("[]", "must be a JSON object of settings")]
    [InlineData("{\"profile\": null}", "profile: '' is none of")]
    [InlineData("{\"listen\": 9470}", "must be an IP address and a port")]
    public void Run_BrokenConfiguration_OneLineThatNamesTheFile(string text, string words)
    {
        (int code, _, string[] errors) = HostBinary.Run("run", "--config", Write(text), "--socket", "none", "--state", "none");
        Assert.NotEqual(0, code);
        Assert.Contains(words, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ConfigurationIsAFolder_OneLine()
    {
        (int code, _, string[] errors) = HostBinary.Run("run", "--config", _folder, "--socket", "none", "--state", "none");
        Assert.Equal(Usage, code);
        Assert.Contains(_folder, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnknownFlag_SaysWhichAndHowToAskForHelp()
    {
        (int code, string output, string[] errors) = HostBinary.Run("run", "--turbo");
        Assert.NotEqual(0, code);
        Assert.Contains(errors.Concat(output.Split('\n')), line => line.Contains("--turbo", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("is not loopback", "--listen", "0.0.0.0:9778", "--socket", "none")]
    [InlineData("/nonexistent does not exist", "--listen", "127.0.0.1:0", "--socket", "none", "--token-file", "/nonexistent")]
    [InlineData("nobody could ask this agent", "--listen", "none", "--socket", "none")]
    [InlineData("must be an absolute path", "--listen", "none", "--socket", "here.sock")]
    public void Run_CannotBeServedSo_IsSaidBeforeAnythingIsOpened(string words, params string[] arguments)
    {
        string state = Path.Combine(_folder, "state");
        (int code, _, string[] errors) = HostBinary.Run(["run", "--state", state, .. arguments]);
        Assert.Equal(Usage, code);
        Assert.Contains(words, Assert.Single(errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(state));
    }

    [Theory]
    [InlineData("standard")]
    [InlineData("minimal")]
    public void Run_PortInUse_SaysWhichAndWhatToDo(string profile)
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        string address = other.LocalEndpoint.ToString()!;
        (int code, _, string[] errors) = HostBinary.Run("run", "--listen", address, "--socket", "none", "--state", "none", "--profile", profile);
        Assert.Equal(Failed, code);
        string line = Assert.Single(errors, error => error.Contains("cannot listen", StringComparison.Ordinal));
        AssertNames(line, address, "--listen takes another address");
    }

    [Theory]
    [InlineData("/proc/keck/host.sock")]
    [InlineData("/dev/null/host.sock")]
    public void Run_SocketCannotBeMade_SaysWhere(string socket)
    {
        (int code, _, string[] errors) = HostBinary.Run("run", "--listen", "127.0.0.1:0", "--socket", socket, "--state", "none");
        Assert.Equal(Failed, code);
        Assert.Contains(socket, Assert.Single(errors, error => error.Contains("unix socket", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SomethingElseWhereTheSocketGoes_IsLeftAlone()
    {
        string file = Write("precious");
        (int code, _, string[] errors) = HostBinary.Run("run", "--listen", "127.0.0.1:0", "--socket", file, "--state", "none");
        Assert.Equal(Failed, code);
        Assert.Single(errors, error => error.Contains("no socket is in the way", StringComparison.Ordinal));
        Assert.Equal("precious", File.ReadAllText(file));
    }

    [Fact]
    public async Task Run_AnotherAgentServesThere_RefusesAndTheOtherServesOn()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        (int code, _, string[] errors) = HostBinary.Run("run", "--listen", "127.0.0.1:0", "--socket", agent.Socket, "--state", "none");
        Assert.Equal(Failed, code);
        Assert.Single(errors, error => error.Contains("another agent serves there", StringComparison.Ordinal));
        await agent.ServesAsync();
    }

    [Fact]
    public async Task Run_SocketLeftByAKilledAgent_IsTakenOver()
    {
        string path = Path.Combine(_folder, "host.sock");
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));
        }

        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, socket: path);
        using HttpClient client = LiveAgent.Client(path);
        Assert.Equal("ok", (await client.GetStringAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken)).Trim());
    }

    private string Write(string text)
    {
        string file = Path.Combine(_folder, "host.json");
        File.WriteAllText(file, text);
        return file;
    }

    private static void AssertNames(string line, string where, string what)
    {
        Assert.Contains(where, line, StringComparison.Ordinal);
        Assert.Contains(what, line, StringComparison.Ordinal);
    }
}
