using System.Net.Sockets;
using System.Text;
using Keck.Agent;

namespace Keck.Host.Tests;

/// <summary>How the native agent stops, and what it tells a service manager.</summary>
[Trait("Speed", "slow")]
public sealed class StopTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-notify-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("TERM", "full")]
    [InlineData("INT", "full")]
    [InlineData("TERM", "standard")]
    public async Task Run_Signalled_EndsCleanlyAndLeavesNoSocket(string signal, string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        Assert.True(File.Exists(agent.Socket));
        Assert.Equal(0, await agent.StopAsync(signal));
        Assert.False(File.Exists(agent.Socket));
        Assert.Empty(agent.Said("error"));
    }

    [Fact]
    public async Task Run_StoppedAndStartedAgain_GoesOnAndWhatCameBetweenIsUnattributed()
    {
        const long Joule = 1_000_000;
        string state = Path.Combine(_folder, "state");
        using MachineTree machine = new();
        await using (LiveAgent first = await LiveAgent.StartKeepingAsync(machine, state))
        {
            machine.Work(5 * Joule);
            await first.UntilEnergyAsync("package-0", 5 * Joule);

            // Counted after the last tick that was asked for: the last tick of all, at the stop, has it or the next agent does.
            machine.Work(2 * Joule);
            Assert.Equal(0, await first.StopAsync());
        }

        machine.Add(MachineTree.Package0, 40 * Joule);
        await using LiveAgent second = await LiveAgent.StartKeepingAsync(machine, state);
        await second.UntilEnergyAsync("package-0", 47 * Joule);
        Assert.InRange(await second.EnergyAsync("package-0", "unattributed"), 40 * Joule, 42 * Joule);
        machine.Work(3 * Joule);
        await second.UntilEnergyAsync("package-0", 50 * Joule);
    }

    [Fact]
    public async Task Run_SignalledDuringATrace_TheTraceEndsWholeWithTheLastTick()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        using HttpClient client = LiveAgent.Client(agent.Socket);
        await using Stream trace = await client.GetStreamAsync(new Uri("/api/v1/trace?seconds=600", UriKind.Relative), TestContext.Current.CancellationToken);
        using StreamReader reader = new(trace);
        Assert.Contains("\"meters\"", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.NotNull(await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, await agent.StopAsync());
        string rest;
        try
        {
            rest = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            rest = ""; // The connection was closed under the reader: what came before was whole lines.
        }

        Assert.True(rest.Length == 0 || rest.EndsWith('\n'), "the trace ends in the middle of a line");
    }

    [Fact]
    public async Task Run_UnderAServiceManager_SaysReadyAliveAndStopping()
    {
        string path = Path.Combine(_folder, "notify");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(
            HostBinary.Path,
            LiveAgent.Arguments(machine),
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "2000000" });
        Assert.Equal("READY=1", await ReceiveAsync(manager));
        Assert.Equal("WATCHDOG=1", await ReceiveAsync(manager));
        Assert.Equal("WATCHDOG=1", await ReceiveAsync(manager));
        Assert.Equal(0, await agent.StopAsync());
        string last = await ReceiveAsync(manager);
        while (last == "WATCHDOG=1")
        {
            last = await ReceiveAsync(manager);
        }

        Assert.Equal("STOPPING=1", last);
        Assert.Equal(0, manager.Available);
    }

    [Fact]
    public async Task Run_ServiceManagerGone_SaysSoAndMetersOn()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(
            HostBinary.Path,
            LiveAgent.Arguments(machine),
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = Path.Combine(_folder, "nobody") });
        await agent.UntilSaidAsync("was not told READY=1");
        machine.Add(MachineTree.Package0, 1_000_000);
        await agent.UntilEnergyAsync("package-0", 1_000_000);
        Assert.Equal(0, await agent.StopAsync());
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("soon", null, null)]
    [InlineData("0", null, null)]
    [InlineData("-5", null, null)]
    [InlineData("9223372036854775807", null, null)]
    [InlineData("30000000", "1", null)]
    [InlineData("30000000", null, 30)]
    public void Watchdog_Variables_PeriodOrNone(string? microseconds, string? pid, int? seconds) =>
        Assert.Equal(seconds is { } whole ? TimeSpan.FromSeconds(whole) : null, ServiceNotice.Watchdog(microseconds, pid));

    private static async Task<string> ReceiveAsync(Socket manager)
    {
        byte[] buffer = new byte[4096];
        int length = await manager.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}
