using System.Globalization;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>A program made for RAPL and not by us, unmodified, in a guest whose only meter is its budget.</summary>
[Trait("Speed", "slow")]
public sealed class PowercapReaderTests
{
    private const string Exporter = "/usr/bin/prometheus-node-exporter";
    private const string Zone = "/run/keck/sys/class/powercap/intel-rapl:0";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task NodeExporter_InAGuest_ReadsTheBudgetAsRapl()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        Assert.SkipUnless(File.Exists(Exporter), $"{Exporter} is missing: eng/setup.sh test");
        Assert.SkipUnless(File.Exists(Repository.PathOf("out", "bin", "keck-guest")), "out/bin/keck-guest is missing: make publish");
        await using LiveHost host = await LiveHost.StartAsync(cancel);
        await using GuestRig guest = new(new GuestOptions
        {
            Vsock = true,
            Content = static image => image.AddProgram(Repository.PathOf("out", "bin", "keck-guest"), "/usr/bin/keck-guest").AddLibrary("libbpf.so.1").AddProgram(Exporter, "/usr/bin/node_exporter"),
            Start = """
                keck-guest run --channel vsock:2:19269 --state none >/run/guest.log 2>&1 &
                (until [ -d /run/keck/sys/class/powercap/intel-rapl:0 ]; do sleep 0.1; done; exec node_exporter --path.sysfs /run/keck/sys --collector.disable-defaults --collector.rapl --web.listen-address 127.0.0.1:9100) >/run/exporter.log 2>&1 &
                sha256sum /dev/zero >/dev/null 2>&1 &
                """,
        });
        await guest.StartAsync(cancel);

        // What the files say before and after a scrape is the same where no tick came between: then it is what the exporter has read.
        string output = "";
        try
        {
            await Condition.HoldsAsync(
                async () =>
                {
                    CommandResult result = await guest.RunAsync(
                        $"before=$(cat {Zone}/energy_uj {Zone}:0/energy_uj) && wget -qO /tmp/scrape http://127.0.0.1:9100/metrics && [ \"$before\" = \"$(cat {Zone}/energy_uj {Zone}:0/energy_uj)\" ] && echo \"$before\" && cat /tmp/scrape",
                        cancel);
                    output = result.Output;
                    return result.ExitCode == 0 && long.Parse(output.Split('\n')[0], CultureInfo.InvariantCulture) > 1_000_000;
                },
                "a scrape between two ticks, with energy in it",
                Patience,
                cancel);
        }
        catch (RigException late)
        {
            string logs = (await guest.RunAsync("tail -n 30 /run/guest.log /run/exporter.log; ls -l /run/keck/sys/class/powercap/*", cancel)).Output;
            throw new RigException($"{late.Message}; last: {output}\n{logs}\nhost: {host.Log.Tail}", late);
        }

        string[] lines = output.Split('\n');
        Assert.Equal(Number(lines[0]), Joules(lines, "node_rapl_package_joules_total"), 1e-9);
        Assert.Equal(Number(lines[1]), Joules(lines, "node_rapl_dram_joules_total"), 1e-9);
    }

    private static double Number(string microjoules) => long.Parse(microjoules, CultureInfo.InvariantCulture) / 1e6;

    private static double Joules(string[] lines, string metric) => double.Parse(
        lines.Single(line => line.StartsWith(metric + "{", StringComparison.Ordinal)).Split(' ')[^1], CultureInfo.InvariantCulture);
}
