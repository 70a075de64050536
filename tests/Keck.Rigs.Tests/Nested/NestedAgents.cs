using System.Globalization;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>
/// Both agents in rig (d): keck-host as a service of L1, two KVM guests with keck-guest in them. <c>vm-a</c> has two busy processes
/// of unequal weight to themselves on vCPU 0, and all else of it on vCPU 1; <c>vm-b</c> idles.
/// </summary>
internal sealed class NestedAgents : IAsyncDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string Zones = "/sys/class/powercap/intel-rapl:0/energy_uj /sys/class/powercap/intel-rapl:0:1/energy_uj";
    private const string Api = "http://host/api/v1";

    private const string Unit = """
        [Unit]
        Description=keck-host under test
        StartLimitIntervalSec=0
        [Service]
        Type=notify
        ExecStart=/usr/bin/keck-host run --libvirt auto --channel on
        StateDirectory=keck/host
        RuntimeDirectory=keck
        StandardError=append:/run/rig/keck-host.log
        StandardOutput=append:/run/rig/keck-host.log
        """;

    /// <summary>Starts the guest's agent; its state is in the machine, and goes with it.</summary>
    internal const string StartGuest = "mkdir -p /var/lib/keck; setsid keck-guest run --channel vsock:2:19269 >>/run/guest.log 2>&1 &";

    // Not before both have booted: they would boot half as fast.
    private const string StartBusy = "taskset -p 2 $(pidof rig-agent | cut -d' ' -f1); for who in first second; do taskset 1 sha256sum /dev/zero >/dev/null 2>&1 & echo $! >/run/$who; done; renice -n 3 -p $(cat /run/second)";

    private readonly NestedRig _l1;

    private NestedAgents(NestedRig l1, NestedDomain a, NestedDomain b) => (_l1, A, B) = (l1, a, b);

    internal NestedDomain A { get; }

    internal NestedDomain B { get; }

    internal NestedMeterCheck Package { get; } = new("package-0");

    internal NestedMeterCheck Dram { get; } = new("dram-0");

    /// <summary>Seconds from Mark to Ack, of the drain, and from Mark to the guest's word on who used it; one of each look.</summary>
    internal (List<double> Ack, List<double> Drain, List<double> Attributed) Latencies { get; } = ([], [], []);

    /// <summary>Boots all of it; returns when both guests have the host's budget.</summary>
    internal static async Task<NestedAgents> StartAsync(CancellationToken cancellationToken)
    {
        foreach (string binary in (string[])["keck-host", "keck-guest"])
        {
            Assert.SkipUnless(File.Exists(Repository.PathOf("out", "bin", binary)), $"out/bin/{binary} is missing: make publish");
        }

        NestedRig l1 = await NestedRig.StartAsync(cancellationToken);
        try
        {
            await l1.CopyInAsync(Repository.PathOf("out", "bin", "keck-host"), "/usr/bin/keck-host", executable: true, cancellationToken);
            _ = (await l1.RunAsync($"echo {Shell.Quote(Unit)} >/etc/systemd/system/keck-host.service; systemctl daemon-reload; systemctl start keck-host", cancellationToken)).Succeeded();
            static void Content(Initramfs image) => image.AddProgram(Repository.PathOf("out", "bin", "keck-guest"), "/usr/bin/keck-guest").AddLibrary("libbpf.so.1");
            NestedDomain a = await l1.StartDomainAsync(
                new DomainOptions
                {
                    Name = "vm-a",
                    Cpus = 2,
                    Content = Content,
                    Start = "taskset -p 2 $$\n" + StartGuest,
                },
                cancellationToken);
            NestedDomain b = await l1.StartDomainAsync(new DomainOptions { Name = "vm-b", Content = Content, Start = StartGuest }, cancellationToken);
            await a.ReadyAsync(cancellationToken);
            await b.ReadyAsync(cancellationToken);
            _ = (await a.RunAsync(StartBusy, cancellationToken)).Succeeded();
            return new NestedAgents(l1, a, b);
        }
        catch
        {
            await l1.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command in L1.</summary>
    internal async Task<string> RunAsync(string command, CancellationToken cancellationToken) => (await _l1.RunAsync(command, cancellationToken)).Succeeded();

    /// <summary>
    /// Ends vm-a's two busy processes, and leaves it short bursts: what follows needs energy in it, and not the half of L1.
    /// </summary>
    internal async Task CalmAsync(CancellationToken cancellationToken) => _ = (await A.RunAsync(
        "kill $(cat /run/first /run/second); (while :; do sleep 0.3; i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; done) >/dev/null 2>&1 &", cancellationToken)).Succeeded();

    /// <summary>
    /// Looks at the host and checks what must hold at any moment: both trees add up from their leaves, and the meters are what we read.
    /// </summary>
    internal async Task<NestedHostLook> LookAsync(CancellationToken cancellationToken)
    {
        string[] lines = (await RunAsync(
            $"cat {Zones} && curl -sSf -w '\\n' --unix-socket /run/keck/host.sock '{Api}/tree?view=meters' '{Api}/tree?view=machines' {Api}/machines/{A.Uuid} {Api}/machines/{B.Uuid} && cat {Zones}",
            cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement meters = JsonSerializer.Deserialize<JsonElement>(lines[2]), machines = JsonSerializer.Deserialize<JsonElement>(lines[3]);
        _ = NestedTree.AssertAddsUp(meters);
        _ = NestedTree.AssertAddsUp(machines);
        JsonElement tree = meters.GetProperty("tree");
        Package.Look(Number(lines[0]), NestedTree.Energy(tree, "package-0"), Number(lines[6]));
        Dram.Look(Number(lines[1]), NestedTree.Energy(tree, "dram-0"), Number(lines[7]));
        NestedHostLook look = new()
        {
            Epoch = meters.GetProperty("epoch").GetString()!,
            Unattributed = NestedTree.Energy(machines.GetProperty("tree"), "unattributed"),
            A = NestedMachineLook.Read(JsonSerializer.Deserialize<JsonElement>(lines[4])),
            B = NestedMachineLook.Read(JsonSerializer.Deserialize<JsonElement>(lines[5])),
        };
        Note(look.A);
        return look;
    }

    /// <summary>Looks until the host says something; throws when it does not in time.</summary>
    internal async Task<NestedHostLook> UntilAsync(Func<NestedHostLook, bool> holds, string what, CancellationToken cancellationToken)
    {
        NestedHostLook? look = null;
        await Condition.HoldsAsync(async () => holds(look = await LookAsync(cancellationToken)), what, Patience, cancellationToken);
        return look!;
    }

    /// <summary>
    /// Looks at a guest until its own figures are of one tick and satisfy what is asked; between the host's word and the tick that books it, the
    /// host's counters are ahead.
    /// </summary>
    internal static async Task<NestedGuestLook> GuestAsync(NestedDomain vm, Func<NestedGuestLook, bool> holds, string what, CancellationToken cancellationToken)
    {
        NestedGuestLook? look = null;
        try
        {
            await Condition.HoldsAsync(
                async () =>
                {
                    CommandResult result = await vm.RunAsync(NestedGuestLook.Command, cancellationToken);
                    return result.ExitCode == 0 && (NestedGuestLook.Read(result.Output) is { } read) && holds(look = read);
                },
                what,
                Patience,
                cancellationToken);
        }
        catch (RigException late)
        {
            string log = (await vm.RunAsync(NestedGuestLook.Why, cancellationToken)).Output;
            throw new RigException($"{vm.Name}: {late.Message}; last: {look}, constant {look?.Constant}\n{log}", late);
        }

        return look!;
    }

    /// <summary>What the host agent wrote.</summary>
    internal Task<string> HostLogAsync(CancellationToken cancellationToken) => RunAsync("cat /run/rig/keck-host.log", cancellationToken);

    /// <summary>Our own reading of the package's counter, µJ.</summary>
    internal async Task<long> ReadPackageAsync(CancellationToken cancellationToken) =>
        Number((await RunAsync($"cat {Zones}", cancellationToken)).Split('\n')[0]);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _l1.DisposeAsync();

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private void Note(NestedMachineLook look)
    {
        Add(Latencies.Ack, look.Ack);
        Add(Latencies.Drain, look.Drain);
        Add(Latencies.Attributed, look.Attributed);

        // The API holds the last one: the same again is the same one.
        static void Add(List<double> all, double? seconds)
        {
            if (seconds is { } one && (all.Count == 0 || all[^1] != one))
            {
                all.Add(one);
            }
        }
    }
}
