using System.Text;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class ApiRouterTests
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Theory]
    [InlineData("node", "/api/v1/node")]
    [InlineData("meters", "/api/v1/meters")]
    [InlineData("learned", "/api/v1/learned")]
    [InlineData("machines", "/api/v1/machines")]
    [InlineData("machine-allocated", "/api/v1/machines/" + SampleLedger.MachineUuid + "?idle=allocated&window=10s")]
    [InlineData("machine-pods", "/api/v1/machines/" + SampleLedger.MachineUuid + "/pods")]
    [InlineData("machine-processes", "/api/v1/machines/" + SampleLedger.MachineUuid + "/processes?top=1")]
    [InlineData("problem-machine", "/api/v1/machines/none/pods")]
    [InlineData("namespaces", "/api/v1/namespaces")]
    [InlineData("pods", "/api/v1/pods?namespace=prod")]
    [InlineData("pod", "/api/v1/pods/" + SampleLedger.PodUid)]
    [InlineData("containers", "/api/v1/containers")]
    [InlineData("container", "/api/v1/containers/3f4e8c1d2b6a")]
    [InlineData("processes", "/api/v1/processes?sort=power&top=2&window=10s")]
    [InlineData("processes-proportional", "/api/v1/processes?sort=energy&idle=proportional&window=10s&top=1")]
    [InlineData("process", "/api/v1/processes/700")]
    [InlineData("history", "/api/v1/history?kind=domain&id=package-0&from=2026-11-24T05:01:20Z&to=2026-11-24T05:01:30Z&step=2s")]
    [InlineData("tree", "/api/v1/tree?depth=2")]
    [InlineData("tree-proportional", "/api/v1/tree?idle=proportional")]
    [InlineData("tree-allocated", "/api/v1/tree?idle=allocated&depth=2")]
    [InlineData("tree-machines", "/api/v1/tree?view=machines&idle=allocated")]
    [InlineData("problem-query", "/api/v1/processes?sort=size&top=0&window=1y&colour=red&idle=none")]
    [InlineData("problem-path", "/api/v1/nothing")]
    [InlineData("problem-id", "/api/v1/pods/unknown")]
    public void Handle_EachDocument_IsTheGolden(string name, string target)
    {
        (ApiResponse response, string body) = new FakeAgent().Get(target);
        Golden.Check($"{name}.json", $"{response.Status} {response.ContentType}\n{Indent(body)}\n");
    }

    [Theory]
    [InlineData("/api/v1/tree")]
    [InlineData("/api/v1/tree?view=machines")]
    [InlineData("/api/v1/processes")]
    [InlineData("/api/v1/processes/700")]
    [InlineData("/api/v1/pods?idle=proportional")]
    [InlineData("/api/v1/namespaces")]
    [InlineData("/api/v1/machines/" + SampleLedger.MachineUuid)]
    public void Documents_NoMeter_HaveNoFigureOfEnergy(string target)
    {
        LedgerSnapshot Bare(int second) => SampleLedger.At(second) is var full
            ? full with
            {
                Meters = [],
                Consumers = [.. full.Consumers.Select(consumer => consumer with { Active = [], Proportional = [], Allocated = [], Bounds = default })],
                Cores = [.. full.Cores.Select(row => row with { Microjoules = 0 })],
            }
            : full;
        var agent = new FakeAgent(seconds: 0);
        for (int second = 1; second <= 30; second++)
        {
            agent.Advance(Bare(second));
        }

        (ApiResponse response, string body) = agent.Get(target);
        Assert.Equal(200, response.Status);
        foreach (string figure in new[] { "energyMicrojoules", "activeMicrojoules", "idleMicrojoules", "low", "high", "powerWatts", "vcpusMicrojoules" })
        {
            Assert.DoesNotContain($"\"{figure}\":0", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Process_MemoryUnknown_HasNoPartOfItsMeter()
    {
        LedgerSnapshot ledger = SampleLedger.At(1);
        var agent = new FakeAgent(seconds: 0);
        agent.Advance(ledger with
        {
            Consumers = [.. ledger.Consumers.Select(consumer => consumer.Pid is 700 or 800
                ? consumer with { Active = consumer.Active.SetItem(2, 0), Proportional = consumer.Proportional.SetItem(2, 0) } : consumer)],
        });
        Assert.DoesNotContain("\"dram-0\"", agent.Get("/api/v1/processes/700").Body, StringComparison.Ordinal);
        Assert.Contains("\"dram-0\":0", agent.Get("/api/v1/processes/800").Body, StringComparison.Ordinal);
    }

    [Fact]
    public void Handle_OtherMethod_Is405WithAllow()
    {
        (ApiResponse response, string body) = new FakeAgent().Get("/api/v1/node", method: "DELETE");
        Assert.Equal((405, "GET, HEAD"), (response.Status, response.Allow));
        Assert.Contains("DELETE", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Readyz_NotReady_SaysWhy()
    {
        var agent = new FakeAgent { Reasons = ["no tick yet"] };
        Assert.Equal(503, agent.Get("/readyz").Response.Status);
        Assert.Contains("no tick yet", agent.Get("/readyz").Body, StringComparison.Ordinal);
        agent.Reasons = [];
        Assert.Equal("ok\n", agent.Get("/readyz").Body);
        Assert.Equal("ok\n", agent.Get("/healthz").Body);
    }

    [Fact]
    public void Processes_SortedByPower_DiffersFromByEnergy()
    {
        // Only the agent ran for the last minute and more; the batch job used most since the epoch.
        var agent = new FakeAgent(seconds: 90);
        LedgerSnapshot last = agent.Now;
        for (int second = 1; second <= 70; second++)
        {
            agent.Advance(last with
            {
                Tick = last.Tick + second,
                EndNanoseconds = last.EndNanoseconds + (second * 1_000_000_000L),
                Consumers = [.. last.Consumers.Select(consumer => consumer.Pid == SampleLedger.AgentPid
                    ? consumer with { Active = consumer.Active.SetItem(0, consumer.Active[0] + (second * 100_000)) } : consumer)],
            });
        }

        Assert.Equal(SampleLedger.AgentPid, First(agent.Get("/api/v1/processes?sort=power").Body));
        Assert.Equal(800, First(agent.Get("/api/v1/processes?sort=energy").Body));

        static int First(string body) => JsonDocument.Parse(body).RootElement.GetProperty("items")[0].GetProperty("pid").GetInt32();
    }

    [Fact]
    public void Process_ReusedPid_IsTheLivingOne()
    {
        var agent = new FakeAgent();
        ConsumerTotals ended = agent.Now.Consumers.First(consumer => consumer.Pid == 650);
        agent.Now = agent.Now with { Consumers = agent.Now.Consumers.Add(ended with { Id = "650/1", StartNanoseconds = 1, Ended = false, Name = "reborn" }) };
        Assert.Contains("\"name\":\"reborn\"", agent.Get("/api/v1/processes/650").Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("processes")]
    [InlineData("pods")]
    [InlineData("containers")]
    [InlineData("machines")]
    public void History_IdAndKeyOfEachListed_AreItsSeries(string list)
    {
        var agent = new FakeAgent();
        JsonElement[] items = [.. JsonDocument.Parse(agent.Get($"/api/v1/{list}").Body).RootElement.GetProperty("items").EnumerateArray()];
        Assert.NotEmpty(items);
        foreach (JsonElement item in items)
        {
            string key = item.GetProperty("key").GetString()!;
            foreach (string id in (string[])[item.GetProperty("id").GetString()!, key])
            {
                (ApiResponse response, string body) = agent.Get($"/api/v1/history?kind={item.GetProperty("kind").GetString()}&id={Uri.EscapeDataString(id)}");
                Assert.Equal(200, response.Status);
                Assert.Equal(key, Assert.Single(JsonDocument.Parse(body).RootElement.GetProperty("series").EnumerateArray()).GetProperty("key").GetString());
            }
        }
    }

    [Fact]
    public void History_ReusedPid_IsTheLivingOneElseTheNewestKept()
    {
        var agent = new FakeAgent();
        LedgerSnapshot last = agent.Now;
        ConsumerTotals ended = last.Consumers.First(consumer => consumer.Pid == 650);

        // Ended, but younger than the one that lives: the living one it is.
        Advance(1, ended with { Id = "650/1", StartNanoseconds = 1, Ended = false });
        Advance(11, ended with { Id = "650/1", StartNanoseconds = 1, Ended = false });
        Assert.Equal("process/650/1", Key());

        // Both are gone from the ledger.
        agent.Advance(agent.Now with { Tick = 1_000, EndNanoseconds = agent.Now.EndNanoseconds + 1_000_000_000, Consumers = [.. last.Consumers.Where(consumer => consumer.Pid != 650)] });
        Assert.Equal("process/650/650000000000", Key());
        Assert.Equal(404, agent.Get("/api/v1/history?kind=process&id=65").Response.Status);

        void Advance(int second, ConsumerTotals living) => agent.Advance(last with
        {
            Tick = last.Tick + second,
            EndNanoseconds = last.EndNanoseconds + (second * 1_000_000_000L),
            Consumers = last.Consumers.Add(living),
        });

        string? Key()
        {
            (ApiResponse response, string body) = agent.Get("/api/v1/history?kind=process&id=650");
            Assert.Equal(200, response.Status);
            return Assert.Single(JsonDocument.Parse(body).RootElement.GetProperty("series").EnumerateArray()).GetProperty("key").GetString();
        }
    }

    [Fact]
    public void Documents_EveryEnergyFigure_LiesWithinItsBounds()
    {
        var agent = new FakeAgent();
        foreach (string target in (string[])["/api/v1/processes", "/api/v1/pods", "/api/v1/containers", "/api/v1/machines", "/api/v1/namespaces"])
        {
            foreach (JsonElement item in JsonDocument.Parse(agent.Get(target).Body).RootElement.GetProperty("items").EnumerateArray())
            {
                long energy = item.GetProperty("energyMicrojoules").GetInt64();
                Assert.InRange(energy, item.GetProperty("low").GetInt64(), item.GetProperty("high").GetInt64());
                double watts = item.GetProperty("powerWatts").GetDouble();
                Assert.InRange(watts, item.GetProperty("powerLowWatts").GetDouble(), item.GetProperty("powerHighWatts").GetDouble());
                Assert.NotEmpty(item.GetProperty("quality").GetString()!);
                Assert.NotEmpty(item.GetProperty("origin").GetString()!);
            }
        }
    }

    // Contract: every energy figure is accompanied by quality, origin, low, high. Those that are parts of one in the same object have a row in its bounds.
    [Theory]
    [InlineData("/api/v1/node", 4)]
    [InlineData("/api/v1/meters", 4)]
    [InlineData("/api/v1/processes/700", 5)]
    [InlineData("/api/v1/pods/" + SampleLedger.PodUid, 2)]
    [InlineData("/api/v1/machines/" + SampleLedger.MachineUuid, 5)]
    [InlineData("/api/v1/namespaces", 1)]
    [InlineData("/api/v1/tree", 40)]
    [InlineData("/api/v1/tree?view=machines", 10)]
    public void Documents_EveryEnergy_IsWithinItsBoundsAndSaysWhereItIsFrom(string target, int figures)
    {
        foreach (string policy in (string[])["separate", "proportional", "allocated"])
        {
            string query = target == "/api/v1/meters" ? target : $"{target}{(target.Contains('?', StringComparison.Ordinal) ? '&' : '?')}idle={policy}";
            var agent = new FakeAgent();
            AssertBounded(agent.Get(query).Body, figures);

            // In a guest, and after a restart under other meters.
            agent.Advance(SampleLedger.WithStaticAndEarlierMeter(SampleLedger.At(91)));
            AssertBounded(agent.Get(query).Body, figures);
        }

        static void AssertBounded(string body, int figures)
        {
            JsonElement[] objects = [.. Objects(JsonDocument.Parse(body).RootElement)];
            JsonElement[] metered = [.. objects.Where(item => item.TryGetProperty("energyMicrojoules", out _))];
            Assert.True(metered.Length >= figures, $"{metered.Length} figures");
            Assert.All(metered, item =>
            {
                long energy = item.GetProperty("energyMicrojoules").GetInt64();
                Assert.InRange(energy, item.GetProperty("low").GetInt64(), item.GetProperty("high").GetInt64());
                if (energy > 0)
                {
                    Assert.NotEmpty(item.GetProperty("quality").GetString()!);
                    Assert.NotEmpty(item.GetProperty("origin").GetString()!);
                }

                if (item.TryGetProperty("powerWatts", out JsonElement watts))
                {
                    Assert.InRange(watts.GetDouble(), item.GetProperty("powerLowWatts").GetDouble(), item.GetProperty("powerHighWatts").GetDouble());
                }
            });
            Assert.All(objects, item => Assert.All(Parts(item), part =>
            {
                JsonElement bounds = item.GetProperty("bounds").GetProperty(part.Name);
                Assert.InRange(part.Energy, bounds.GetProperty("low").GetInt64(), bounds.GetProperty("high").GetInt64());

                // Every part of the sample is in doubt.
                Assert.True(part.Energy == 0 || bounds.GetProperty("low").GetInt64() < part.Energy, $"{part} has no lower bound of its own: {bounds}");
                Assert.True(part.Energy == 0 || bounds.GetProperty("high").GetInt64() > part.Energy, $"{part} has no upper bound of its own: {bounds}");
            }));
        }

        // Guests' claims have bounds of their own; a meter's quantum is no energy of anybody.
        static IEnumerable<(string Name, long Energy)> Parts(JsonElement item)
        {
            foreach (JsonProperty member in item.EnumerateObject())
            {
                if (member.Name.EndsWith("Microjoules", StringComparison.Ordinal) && member.Name is not ("energyMicrojoules" or "quantumMicrojoules" or "restMicrojoules"))
                {
                    yield return (member.Name[..^"Microjoules".Length], member.Value.GetInt64());
                }
                else if (member.Name is "meters" or "static" && member.Value.ValueKind == JsonValueKind.Object && !member.Value.TryGetProperty("low", out _))
                {
                    foreach (JsonProperty part in member.Value.EnumerateObject().Where(part => part.Value.GetInt64() != 0))
                    {
                        yield return (member.Name == "static" ? $"static.{part.Name}" : part.Name, part.Value.GetInt64());
                    }
                }
            }
        }

        static IEnumerable<JsonElement> Objects(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Objects(member.Value)).Prepend(element),
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Objects),
            _ => [],
        };
    }

    [Fact]
    public async Task Trace_MoreReadersThanAllowed_AreRefused()
    {
        var feed = new HeldTrace();
        var agent = new FakeAgent(trace: feed);
        ApiRouter router = agent.Router();
        Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => router.Handle(ApiRequest.Of("GET", "/api/v1/trace?seconds=5", null)).Stream!(Stream.Null, TestContext.Current.CancellationToken))];
        Assert.Equal(503, router.Handle(ApiRequest.Of("GET", "/api/v1/trace", null)).Status);
        feed.Release();
        await Task.WhenAll(readers);
        Assert.Equal(200, router.Handle(ApiRequest.Of("GET", "/api/v1/trace", null)).Status);
        Assert.Equal(TimeSpan.FromSeconds(5), feed.Length);
        Assert.Equal(404, new FakeAgent().Get("/api/v1/trace").Response.Status);
    }

    [Fact]
    public void Handle_HostileTargets_AnswersEachWithAProblem()
    {
        var agent = new FakeAgent(seconds: 3);
        ApiRouter router = agent.Router();
        string[] targets =
        [
            "", "/", "//", "*", "/%", "/%zz", "/%00", "/%ff%fe", "/metrics/%0d%0aX: y", "http://", "http://x", "/" + new string('a', 100_000),
            "/" + string.Join('/', Enumerable.Repeat("a", 5_000)), "/api/v1/pods/" + new string('%', 900), "/api/v1/pods/..%2f..%2fetc%2fpasswd",
            "/api/v1/processes/99999999999999999999", "/api/v1/processes/-1", "/api/v1/processes?top=99999999999999", "/api/v1/processes?" + new string('x', 50_000),
            "/api/v1/processes?" + string.Join('&', Enumerable.Range(0, 1_000).Select(i => $"a{i}=1")), "/api/v1/processes?top=1&top=2", "/api/v1/processes?top=%",
            "/api/v1/history?from=NaN", "/api/v1/history?from=1e400", "/api/v1/history?to=0001-01-01T00:00:00Z", "/api/v1/history?from=9999-12-31T23:59:59Z",
            "/api/v1/history?from=0&step=1s", "/api/v1/history?step=0", "/api/v1/history?step=NaN", "/api/v1/processes?window=Infinitys", "/api/v1/processes?window=-5s",
            "/api/v1/tree?depth=-1", "/api/v1/trace?seconds=999999", "/metrics?expose=" + new string(',', 1_000), "/metrics?expose=kepler%00", "/healthz?x",
            "/api/v1/containers/" + new string('a', 600), "/api/v1/machines/x", "/api/v1/pods/\u0001",
        ];
        foreach (string target in targets)
        {
            (ApiResponse response, string body) = agent.Get(target, router: router);
            Assert.InRange(response.Status, 400, 404);
            Assert.Equal("application/problem+json", response.ContentType);
            JsonElement problem = JsonDocument.Parse(body).RootElement;
            Assert.Equal(response.Status, problem.GetProperty("status").GetInt32());
            Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
            Assert.True(body.Length < 4_096, target[..Math.Min(60, target.Length)]);
        }
    }

    [Fact]
    public void Handle_RandomTargets_NeverThrows()
    {
        const int Seed = 20261124;
        var random = new Random(Seed);
        var agent = new FakeAgent(seconds: 3);
        ApiRouter router = agent.Router((MetricDialects)3, 5);
        string[] words = ["/", "api", "v1", "?", "&", "=", "%", "%41", "top", "window", "from", "to", "step", "1", "-1", "s", "\u00e9", "\0", "pods", "processes", "history", "tree", "kind", "process", "namespace", "T", "Z", "+", "9999999999"];
        for (int round = 0; round < 20_000; round++)
        {
            var target = new StringBuilder(round % 2 == 0 ? "/api/v1/" : "");
            for (int word = random.Next(12); word >= 0; word--)
            {
                _ = target.Append(words[random.Next(words.Length)]);
            }

            (ApiResponse response, _) = agent.Get(target.ToString(), router: router);
            Assert.True(response.Status is 200 or 400 or 404, $"seed {Seed} round {round}: {target} gave {response.Status}");
        }
    }

    private static string Indent(string json)
    {
        using var to = new MemoryStream();
        using (var writer = new Utf8JsonWriter(to, Indented))
        {
            JsonDocument.Parse(json).WriteTo(writer);
        }

        return Encoding.UTF8.GetString(to.ToArray());
    }

    private sealed class HeldTrace : ITraceFeed
    {
        private readonly TaskCompletionSource _released = new();

        internal TimeSpan Length { get; private set; }

        internal void Release() => _released.SetResult();

        public Task StreamAsync(Stream to, TimeSpan length, CancellationToken cancellationToken)
        {
            Length = length;
            return _released.Task;
        }
    }
}
