using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Keck.Host.Tests;

/// <summary>Clients that mean harm, at the native agent: it stays small, right and there for the others.</summary>
[Trait("Speed", "slow")]
public sealed class HostileHttpTests
{
    private const long MaxGrowthKibibytes = 64 * 1024;

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task RandomBytes_ManyConnections_NobodyElseNotices(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        long before = Resident(agent);
        const int Seed = 20261124;
        Random random = new(Seed);
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = new byte[random.Next(1, 4_096)];
            random.NextBytes(bytes);
            if (i % 3 == 0)
            {
                "GET /"u8.CopyTo(bytes.Length > 5 ? bytes : new byte[5]);
            }

            _ = await ExchangeAsync(agent, bytes);
        }

        await ServesAsync(agent, machine, before, $"seed {Seed}");
    }

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task GiantRequests_AreRefusedInBoundedMemory(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        long before = Resident(agent);
        string padding = new('x', 8 << 20);
        foreach (string request in new[]
        {
            $"GET /metrics HTTP/1.1\r\nHost: x\r\nX: {padding}\r\n\r\n",
            $"GET /{padding} HTTP/1.1\r\nHost: x\r\n\r\n",
            $"{padding} / HTTP/1.1\r\nHost: x\r\n\r\n",
            $"GET / HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", 100_000))}\r\n",
            $"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: {padding.Length}\r\n\r\n{padding}",
            "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        })
        {
            string answer = await ExchangeAsync(agent, Encoding.ASCII.GetBytes(request));
            Assert.DoesNotContain(" 200 ", answer.Split('\n')[0], StringComparison.Ordinal);
            Assert.DoesNotContain(" 500 ", answer.Split('\n')[0], StringComparison.Ordinal);
        }

        await ServesAsync(agent, machine, before, "giants");
    }

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task SlowClients_MoreThanThereIsRoomFor_TheServedStayServedAndTheSlowAreLetGo(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        long before = Resident(agent);
        List<TcpClient> slow = [];
        try
        {
            for (int i = 0; i < 150; i++)
            {
                TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, agent.Address.Port, TestContext.Current.CancellationToken);
                slow.Add(client);
                try
                {
                    await client.GetStream().WriteAsync("GET /metrics HTTP/1.1\r\nHo"u8.ToArray(), TestContext.Current.CancellationToken);
                }
                catch (IOException)
                {
                    // Beyond the limit the connection is closed at once.
                }
            }

            // Who is connected is answered throughout, and the others as soon as the slow have run out of time.
            Assert.Equal(200, await agent.StatusAsync("/healthz"));
            await agent.UntilAsync("a new client served", async () => await FreshAsync(agent) == 200);
            await ServesAsync(agent, machine, before, "slow clients");
        }
        finally
        {
            slow.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task Pipelined_Requests_AreAnsweredInOrder(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        StringBuilder requests = new();
        for (int i = 0; i < 60; i++)
        {
            _ = requests.Append(CultureInfo.InvariantCulture, $"GET {(i % 2 == 0 ? "/healthz" : "/api/v1/nothing")} HTTP/1.1\r\nHost: x\r\n{(i == 59 ? "Connection: close\r\n" : "")}\r\n");
        }

        string answers = await ExchangeAsync(agent, Encoding.ASCII.GetBytes(requests.ToString()), end: false);
        string[] codes = [.. answers.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries).Select(answer => answer[..3])];
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? "200" : "404"), codes);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task ClientsThatDoNotRead_AreLetGo(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        long before = Resident(agent);
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 2_000)));
        List<Task<bool>> deaf = [.. Enumerable.Range(0, 12).Select(_ => DeafAsync(agent, requests))];
        await agent.UntilAsync("a new client served", async () => await FreshAsync(agent) == 200);
        Assert.All(await Task.WhenAll(deaf), Assert.True);
        await ServesAsync(agent, machine, before, "clients that do not read");
    }

    [Fact]
    public async Task HalfClosedByTheClient_Minimal_IsAnsweredInFull()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, "minimal");
        string answer = await ExchangeAsync(agent, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nok\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdleClients_MoreThanThereIsRoomFor_MakeRoomAndMemoryStays()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, "minimal");
        long before = Resident(agent);
        List<TcpClient> idle = [];
        try
        {
            for (int i = 0; i < 500; i++)
            {
                TcpClient client = new();
                idle.Add(client);
                Task connecting = client.ConnectAsync(IPAddress.Loopback, agent.Address.Port, TestContext.Current.CancellationToken).AsTask();
                if (i % 50 == 0)
                {
                    await connecting;
                    Assert.Equal(200, await FreshAsync(agent));
                }
            }

            await agent.UntilAsync("a new client served", async () => await FreshAsync(agent) == 200);
            Assert.True(Directory.GetFiles($"/proc/{agent.Pid}/fd").Length < 200, "the agent holds a descriptor for each of them");
            await ServesAsync(agent, machine, before, "idle clients");
        }
        finally
        {
            idle.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [InlineData("/../../../../etc/passwd")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/api/v1/processes/..%2f..%2fetc%2fpasswd")]
    [InlineData("/api/v1/pods/%00")]
    [InlineData("/api/v1/processes/-1")]
    [InlineData("/api/v1/processes/99999999999999999999999")]
    [InlineData("/api/v1/processes?top=-1")]
    [InlineData("/api/v1/processes?top=99999999999999999999")]
    [InlineData("/api/v1/processes?window=1e308s")]
    [InlineData("/api/v1/processes?sort=%27;DROP%20TABLE")]
    [InlineData("/api/v1/tree?depth=2147483648")]
    [InlineData("/api/v1/history?kind=process&id=1&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&step=1ns")]
    [InlineData("/api/v1/history?kind=domain&step=0")]
    [InlineData("/api/v1/trace?seconds=1e999")]
    [InlineData("/api/v1/trace?seconds=-1")]
    [InlineData("/metrics?expose=everything")]
    [InlineData("/api/v1/node?%ff%fe=%c0%80")]
    public async Task AbsurdTargets_AreRefusedAsAProblem(string target)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        string answer = await ExchangeAsync(agent, Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), end: false);
        Assert.True(answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal), answer);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        Assert.Empty(agent.Said("error"));
    }

    private static async Task ServesAsync(LiveAgent agent, MachineTree machine, long before, string what)
    {
        long truth = await agent.EnergyAsync("package-0");
        machine.Work(3_000_000);
        await agent.UntilEnergyAsync("package-0", truth + 3_000_000);
        Assert.Empty(agent.Said("error"));
        Assert.True(Resident(agent) - before < MaxGrowthKibibytes, $"{what}: {before} KiB resident before, {Resident(agent)} KiB after");
    }

    // Asks and asks and takes no answer; true when the agent has had enough of it.
    private static async Task<bool> DeafAsync(LiveAgent agent, byte[] requests)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4_096 };
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(120));
        await socket.ConnectAsync(IPAddress.Loopback, agent.Address.Port, TestContext.Current.CancellationToken);
        try
        {
            while (true)
            {
                _ = await socket.SendAsync(requests, deadline.Token);
            }
        }
        catch (SocketException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // A client of its own on TCP; null where the connection was refused or closed.
    private static async Task<int?> FreshAsync(LiveAgent agent)
    {
        string answer = await ExchangeAsync(agent, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), end: false);
        return answer.Length > 12 ? int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture) : null;
    }

    // Sends bytes, says that no more will come (which the server takes for a client that has gone), and reads until the other side closes.
    private static async Task<string> ExchangeAsync(LiveAgent agent, byte[] bytes, bool end = true)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, agent.Address.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        using MemoryStream answer = new();
        Task writing = WriteAsync(client, stream, bytes, end);
        try
        {
            await stream.CopyToAsync(answer, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Reset by the agent while we were still sending.
        }

        await writing;
        return Encoding.Latin1.GetString(answer.ToArray());
    }

    private static async Task WriteAsync(TcpClient client, NetworkStream stream, byte[] bytes, bool end)
    {
        try
        {
            await stream.WriteAsync(bytes, TestContext.Current.CancellationToken);
            if (end)
            {
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            // It had heard enough.
        }
    }

    private static long Resident(LiveAgent agent) => long.Parse(
        File.ReadLines($"/proc/{agent.Pid}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
