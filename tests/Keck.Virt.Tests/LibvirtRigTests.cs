using System.Diagnostics;
using Keck.Metering;
using Keck.Virt.Rig;

namespace Keck.Virt.Tests;

/// <summary>Discovery, life and thread roles of real machines under a real libvirtd.</summary>
[Trait("Speed", "slow")]
public sealed class LibvirtRigTests
{
    private const string PlainUuid = "0b5e3f9c-8a1d-4e2b-9c7f-6d5a4b3c2e1f";
    private static readonly VirtOptions Quick = new() { ScanInterval = TimeSpan.FromMilliseconds(500), ReconnectPause = TimeSpan.FromMilliseconds(50), LongestReconnectPause = TimeSpan.FromMilliseconds(500) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Machines_ADozenOfRealKvm_FoundWithTheirThreadsAndFollowed()
    {
        Assert.SkipUnless(LibvirtRig.Missing is null, LibvirtRig.Missing ?? "");
        Assert.SkipUnless(LibvirtRig.KvmMissing is null, LibvirtRig.KvmMissing ?? "");
        RigDomain[] domains =
        [
            .. Enumerable.Range(0, 2).Select(i => new RigDomain($"burn{i}", Burns: true, Vcpus: 1 + i)),
            .. Enumerable.Range(0, 8).Select(i => new RigDomain($"idle{i}", Vcpus: 1 + (i % 3))),
            new RigDomain("io", Vcpus: 2, Iothreads: 2, Channel: true),
            new RigDomain("tagged", Metadata: "<keck:keck xmlns:keck='https://keck.io/ns/1' team='blue'/>"),
            new RigDomain("tcg", Kvm: false, Vcpus: 2),
        ];
        await FollowAsync(domains, kvm: true);
    }

    [Fact]
    public async Task Machines_SoftwareEmulated_FoundWithTheirThreadsAndFollowed()
    {
        Assert.SkipUnless(LibvirtRig.Missing is null, LibvirtRig.Missing ?? "");
        RigDomain[] domains =
        [
            new RigDomain("io", Kvm: false, Vcpus: 2, Iothreads: 1, Channel: true),
            new RigDomain("tagged", Kvm: false, Metadata: "<keck:keck xmlns:keck='https://keck.io/ns/1' team='blue'/>"),
        ];
        await FollowAsync(domains, kvm: false);
    }

    private static async Task FollowAsync(RigDomain[] domains, bool kvm)
    {
        await using LibvirtRig rig = await LibvirtRig.StartAsync(Token);
        await using RunningDirectory running = new(Quick with { LibvirtUri = rig.Uri });
        await Wait.UntilAsync(() => running.Directory.Libvirt.Connected, "the connection");
        await Parallel.ForEachAsync(domains, new ParallelOptions { MaxDegreeOfParallelism = 3, CancellationToken = Token }, async (domain, token) => await rig.CreateAsync(domain, token));
        Process plain = await rig.StartPlainAsync("plain", PlainUuid, kvm, Token);
        Process nameless = await rig.StartPlainAsync("unnumbered", null, kvm, Token);
        await Wait.UntilAsync(() => running.Current.FindByPid(plain.Id) is not null || running.Directory.Ask(plain.Id), "asked for the machine without libvirt");
        await Wait.UntilAsync(() => domains.All(domain => Of(running, domain.Name)?.Process is not null), "a process for every domain");
        Assert.All(domains, domain => Assert.Equal(rig.Pid(domain.Name), Of(running, domain.Name)!.Process!.Value.Pid));
        await Wait.UntilAsync(() => domains.All(domain => Of(running, domain.Name)!.Vcpus == domain.Vcpus), "their vCPUs");
        Assert.All(domains, domain => Assert.Equal((domain.Vcpus, 32_768L, MachineManager.Libvirt), (Of(running, domain.Name)!.Vcpus, Of(running, domain.Name)!.MemoryKibibytes, Of(running, domain.Name)!.Manager)));
        await Wait.UntilAsync(() => Of(running, "tagged")!.Owner?.Tags["team"] == "blue", "the tags");
        // libvirt hands QEMU the socket itself: only the domain's XML names the path.
        await Wait.UntilAsync(() => running.Current.FindBySocket(ChannelKind.VirtioSerial, rig.ChannelPath("io"))?.Name == "io", "the machine behind the channel's socket");
        await Wait.UntilAsync(() => running.Events.Count(told => told.Kind == MachineEventKind.Started) == domains.Length, "an event for every start");

        await RolesAsync(rig, running, domains, plain, nameless, kvm);
        await LifeAsync(rig, running);
        await RestartAsync(rig, running, domains);
    }

    private static async Task RolesAsync(LibvirtRig rig, RunningDirectory running, RigDomain[] domains, Process plain, Process nameless, bool kvm)
    {
        MachineResolver resolver = new(running.Directory);
        RigObservation seen = new();
        Dictionary<int, (ThreadRole Role, int Vcpu)> truth = [];
        foreach (RigDomain domain in domains)
        {
            foreach ((int tid, int vcpu) in await rig.VcpuThreadsAsync(domain.Name, Token))
            {
                truth[tid] = (ThreadRole.Vcpu, vcpu);
            }

            foreach (int tid in await rig.IothreadsAsync(domain.Name, Token))
            {
                truth[tid] = (ThreadRole.Iothread, 0);
            }
        }

        int[] pids = [.. domains.Select(domain => rig.Pid(domain.Name)), plain.Id, nameless.Id];
        await Wait.UntilAsync(
            () =>
            {
                seen.Tick(resolver, pids);
                return pids.All(pid => seen.Observation.ProcessTable[seen.Observation.ProcessTable.FindNewest(pid)].Machine >= 0);
            },
            "a machine for every process");
        // The names of threads born in the last tick are looked at again in the next ones.
        await Wait.UntilAsync(
            () =>
            {
                seen.Tick(resolver, pids);
                return resolver.YoungCount == 0;
            },
            "all threads are old");
        ThreadRow[] threads = [.. seen.Observation.ThreadTable.Rows.ToArray().Where(row => row.Tid != 0 && row.Pid != plain.Id && row.Pid != nameless.Id)];
        Assert.Equal(truth.Count, threads.Count(row => row.Role is ThreadRole.Vcpu or ThreadRole.Iothread));
        Assert.All(threads, row => Assert.Equal((row.Tid, truth.GetValueOrDefault(row.Tid, (ThreadRole.Emulator, 0))), (row.Tid, (row.Role, row.Vcpu))));

        // Without libvirt, and without named threads: KVM tells.
        Assert.Equal((PlainUuid, "plain", false), (running.Current.FindByPid(plain.Id)!.Uuid, running.Current.FindByPid(plain.Id)!.Name, running.Current.FindByPid(plain.Id)!.Derived));
        Assert.True(running.Current.FindByPid(nameless.Id)!.Derived);
        if (kvm)
        {
            await Wait.UntilAsync(
                () =>
                {
                    seen.Tick(resolver, pids);
                    return seen.Observation.ThreadTable.Rows.ToArray().Where(row => row.Pid == plain.Id && row.Role == ThreadRole.Vcpu).Select(row => row.Vcpu).Order().SequenceEqual([0, 1]);
                },
                "two vCPUs of the machine without libvirt");
            Reading<HaltPoll> polled = running.Directory.ReadHaltPoll(Of(running, "idle0")!);
            Assert.True(polled.Value is { SuccessNanoseconds: >= 0, FailNanoseconds: >= 0 }, polled.ToString());
        }
    }

    private static async Task LifeAsync(LibvirtRig rig, RunningDirectory running)
    {
        string uuid = Of(running, "io")!.Uuid;
        _ = await rig.VirshAsync(Token, "suspend", "io");
        await Wait.UntilAsync(() => Of(running, "io")!.State == MachineState.Paused && running.Events.Contains(new MachineEvent(uuid, MachineEventKind.Paused)), "paused");
        _ = await rig.VirshAsync(Token, "resume", "io");
        await Wait.UntilAsync(() => Of(running, "io")!.State == MachineState.Running && running.Events.Contains(new MachineEvent(uuid, MachineEventKind.Resumed)), "resumed");
        _ = await rig.VirshAsync(Token, "metadata", "io", "https://keck.io/ns/1", "--live", "--key", "keck", "--set", "<keck team='green'/>");
        await Wait.UntilAsync(() => Of(running, "io")!.Owner?.Tags.GetValueOrDefault("team") == "green", "new tags");
        await rig.DestroyAsync("io", Token);
        await Wait.UntilAsync(() => Of(running, "io") is null && running.Events.Contains(new MachineEvent(uuid, MachineEventKind.Stopped)), "destroyed");

        await rig.DefineAsync(new RigDomain("kept", Kvm: false), Token);
        await Wait.UntilAsync(() => Of(running, "kept") is { State: MachineState.Stopped, Process: null }, "defined");
        _ = await rig.VirshAsync(Token, "undefine", "kept");
        await Wait.UntilAsync(() => Of(running, "kept") is null, "undefined");
    }

    private static async Task RestartAsync(LibvirtRig rig, RunningDirectory running, RigDomain[] domains)
    {
        Machine before = Of(running, "tagged")!;
        await rig.StopDaemonAsync(Token);
        await Wait.UntilAsync(() => !running.Directory.Libvirt.Connected, "the loss of the connection");
        Assert.Equal(before.Owner!.Tags["team"], Of(running, "tagged")!.Owner!.Tags["team"]);
        Assert.All(domains.Where(domain => domain.Name != "io"), domain => Assert.NotNull(Of(running, domain.Name)!.Process));
        await rig.StartDaemonAsync(Token);
        await Wait.UntilAsync(() => running.Directory.Libvirt is { Connected: true, Connections: >= 2 }, "the connection again");
        // libvirtd answers while it is still taking up its domains; a command to the machine waits for that.
        _ = await rig.VcpuThreadsAsync("tagged", Token);
        await rig.DestroyAsync("tagged", Token);
        await Wait.UntilAsync(() => Of(running, "tagged") is null && running.Events.Contains(new MachineEvent(before.Uuid, MachineEventKind.Stopped)), "events of the new connection");
    }

    private static Machine? Of(RunningDirectory running, string name) => running.Current.Machines.SingleOrDefault(machine => machine.Name == name);
}
