using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>What a guest agent says, all as of one tick.</summary>
internal sealed record NestedGuestLook
{
    /// <summary>The host's counters as the guest knows them, by meter, µJ.</summary>
    internal required IReadOnlyDictionary<string, long> Host { get; init; }

    /// <summary>What the guest's ledger has of each of these meters: who owns it, µJ.</summary>
    internal required IReadOnlyDictionary<string, (long Total, long Unattributed)> Ledger { get; init; }

    /// <summary>The ledger's epoch.</summary>
    internal required string Epoch { get; init; }

    internal long HostTotal => Host.Values.Sum();

    internal long LedgerTotal => Ledger.Values.Sum(static meter => meter.Total);

    internal long Unattributed => Ledger.Values.Sum(static meter => meter.Unattributed);

    /// <summary>What the host counts and the ledger does not: the baseline, a constant while nothing is lost and nothing counted twice.</summary>
    internal long Constant => HostTotal - LedgerTotal;

    /// <summary>The shell command that looks: one process, since each costs an emulated machine in an emulated machine much.</summary>
    internal const string Command =
        "api=http://127.0.0.1:9471/api/v1; timeout 30 wget -qO- $api/meters $api/node $api/tree $api/meters";

    /// <summary>The shell command that says why an agent does not answer: its last words, and where each of its threads waits.</summary>
    internal const string Why =
        "tail -n 20 /run/guest.log; for t in /proc/$(pidof -s keck-guest)/task/*; do echo $t $(cat $t/comm) $(cut -d' ' -f3 $t/stat) $(cat $t/wchan) $(cat $t/syscall); done";

    /// <summary>Reads the documents; null where a tick came between them, or the host's budget is not in use yet.</summary>
    internal static NestedGuestLook? Read(string output)
    {
        JsonElement[] documents = NestedTree.Documents(output);
        (JsonElement node, JsonElement tree) = (documents[1], documents[2]);

        // Whatever the tick, a tree adds up.
        long total = NestedTree.AssertAddsUp(tree);
        Dictionary<string, long> host = Counters(documents[0]);
        if (host.Count == 0 || !host.SequenceEqual(Counters(documents[3])))
        {
            return null;
        }

        JsonElement[] domains = [.. node.GetProperty("domains").EnumerateArray()];
        foreach (JsonElement domain in domains)
        {
            // Each owner by itself, and not the agent's sum.
            long owners = Parts(domain, "processesMicrojoules", "endedMicrojoules", "systemMicrojoules", "unattributedMicrojoules", "idleMicrojoules", "overheadMicrojoules");
            Assert.True(owners == domain.GetProperty("energyMicrojoules").GetInt64(), $"the owners of {domain.GetProperty("meter")} have {owners} µJ: {domain}");
        }

        Assert.Equal(total, domains.Sum(static domain => domain.GetProperty("energyMicrojoules").GetInt64()));
        return new NestedGuestLook
        {
            Host = host,
            Ledger = domains.Where(static domain => domain.GetProperty("origin").GetString() == "budget").ToDictionary(
                static domain => domain.GetProperty("meter").GetString()!,
                static domain => (domain.GetProperty("energyMicrojoules").GetInt64(), Parts(domain, "unattributedMicrojoules"))),
            Epoch = node.GetProperty("epoch").GetString()!,
        };
    }

    private static long Parts(JsonElement domain, params IEnumerable<string> names) =>
        names.Sum(name => domain.TryGetProperty(name, out JsonElement part) ? part.GetInt64() : 0);

    private static Dictionary<string, long> Counters(JsonElement meters) => meters.GetProperty("items").EnumerateArray()
        .Where(static item => item.GetProperty("origin").GetString() == "budget" && item.TryGetProperty("energyMicrojoules", out _))
        .ToDictionary(static item => item.GetProperty("id").GetString()!, NestedTree.Of);
}
