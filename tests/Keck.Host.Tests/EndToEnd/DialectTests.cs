namespace Keck.Host.Tests;

/// <summary>The native agent in the words of others: what their dashboards ask for is there.</summary>
[Trait("Speed", "slow")]
public sealed class DialectTests
{
    private static readonly string[] Counters =
    [
        "scaph_forks_since_boot_total 48211", "scaph_context_switches_total 183456789", "scaph_processes_running_current 3", "scaph_processes_blocked_current 0",
    ];

    [Fact]
    public async Task Scrape_BothDialects_CountersOfTheMachineAreServed()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(HostBinary.Path, [.. LiveAgent.Arguments(machine), "--expose", "kepler,scaphandre"]);
        const string Target = "/metrics?expose=kepler,scaphandre";
        string[] lines = (await agent.TextAsync(Target)).Split('\n');
        Assert.All(Counters, counter => Assert.Contains(counter, lines));

        // However often it looks: three quarters of what passes is busy.
        await agent.UntilAsync("the busy part of all CPUs", async () =>
        {
            machine.Tick(busy: 3, idle: 1);
            return (await agent.TextAsync(Target)).Split('\n')
                .Any(line => line.StartsWith("kepler_node_cpu_usage_ratio{", StringComparison.Ordinal) && line.EndsWith(" 0.75", StringComparison.Ordinal));
        });
    }
}
