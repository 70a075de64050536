namespace Keck.Rigs.Tests;

/// <summary>The events that the agents live through, and what must hold after each and all along.</summary>
internal sealed class NestedStory
{
    private readonly NestedAgents _agents;
    private NestedHostLook _host;
    private long _constantA;
    private long _constantB;
    private NestedGuestLook _a;
    private NestedGuestLook _b;

    private NestedStory(NestedAgents agents, NestedHostLook host, NestedGuestLook a, NestedGuestLook b)
    {
        (_agents, _host, _a, _b) = (agents, host, a, b);
        (_constantA, _constantB) = (a.Constant, b.Constant);
    }

    /// <summary>Takes the figures from which everything goes on.</summary>
    internal static async Task<NestedStory> BeginAsync(NestedAgents agents, CancellationToken cancel)
    {
        NestedHostLook host = await agents.UntilAsync(static look => look.A.Connected && look.B.Connected, "both guests connected", cancel);
        NestedGuestLook a = await BaselineAsync(agents.A, cancel), b = await BaselineAsync(agents.B, cancel);
        return new NestedStory(agents, host, a, b);
    }

    /// <summary>Looks at everybody; nothing has been lost, nothing counted twice, nothing went back.</summary>
    internal async Task CheckAsync(CancellationToken cancel)
    {
        NestedHostLook host = await _agents.LookAsync(cancel);
        Forward(host, killed: false);
        _host = host;
        _a = await HeldAsync(_agents.A, _constantA, _a, 0, cancel);
        _b = await HeldAsync(_agents.B, _constantB, _b, 0, cancel);
    }

    /// <summary>keck-host is killed, and started again after a while.</summary>
    internal Task HostKilledAsync(CancellationToken cancel) => DownAsync(
        "systemctl kill -s KILL keck-host; until systemctl is-failed -q keck-host; do sleep 0.1; done; systemctl reset-failed keck-host", killed: true, cancel);

    /// <summary>keck-host is stopped as a service is, and started again after a while.</summary>
    internal Task HostStoppedAsync(CancellationToken cancel) => DownAsync("systemctl stop keck-host", killed: false, cancel);

    /// <summary>vm-a's agent is killed; what the host counts meanwhile is owned by nobody's runs.</summary>
    internal async Task GuestKilledAsync(long span, CancellationToken cancel)
    {
        await CheckAsync(cancel);
        _ = (await _agents.A.RunAsync("kill -KILL $(pidof keck-guest); while pidof keck-guest >/dev/null; do sleep 0.1; done", cancel)).Succeeded();
        NestedHostLook dead = await _agents.LookAsync(cancel);
        NestedHostLook down = await _agents.UntilAsync(look => !look.A.Connected && look.A.Total > dead.A.Total + span, "energy while vm-a's agent is down", cancel);
        Forward(down, killed: false);
        _ = (await _agents.A.RunAsync(NestedAgents.StartGuest, cancel)).Succeeded();

        // All that the host counted from the kill on, and what was booked after the last save, is nobody's.
        long unknown = _a.Unattributed, least = down.A.Told - dead.A.Total;
        _a = await HeldAsync(_agents.A, _constantA, null, down.A.Told, cancel);
        Assert.True(_a.Unattributed - unknown >= least, $"{least} µJ were counted while vm-a's agent was down, {_a.Unattributed - unknown} µJ of them are unattributed");
        await CheckAsync(cancel);
    }

    /// <summary>vm-a's agent hangs until the host lets go of it; vm-b is served all the while, and vm-a's runs are not lost.</summary>
    internal async Task GuestStopsReadingAsync(CancellationToken cancel)
    {
        await CheckAsync(cancel);
        NestedGuestLook before = _a;
        _ = (await _agents.A.RunAsync("kill -STOP $(pidof keck-guest)", cancel)).Succeeded();
        NestedHostLook first = await _agents.LookAsync(cancel);
        NestedGuestLook other = await HeldAsync(_agents.B, _constantB, _b, first.B.Told + 1, cancel);
        NestedHostLook down = await _agents.UntilAsync(static look => !look.A.Connected, "the host lets go of a guest that hangs", cancel);
        Assert.True(down.B.Connected, "vm-b was let go of as well");
        _b = await HeldAsync(_agents.B, _constantB, other, down.B.Told + 1, cancel);
        _ = (await _agents.A.RunAsync("kill -CONT $(pidof keck-guest)", cancel)).Succeeded();
        _a = await HeldAsync(_agents.A, _constantA, before, down.A.Told, cancel);

        // The kernel has counted who ran. Without an owner is only who has ended since, or whose memory nobody has read yet.
        long counted = _a.HostTotal - before.HostTotal, unknown = _a.Unattributed - before.Unattributed;
        Assert.True(
            unknown < counted / 20,
            $"{unknown} of {counted} µJ of vm-a became unattributed, though only its agent hung: "
            + string.Join(", ", _a.Ledger.Select(meter => $"{meter.Key} {meter.Value.Unattributed - before.Ledger[meter.Key].Unattributed} of {meter.Value.Total - before.Ledger[meter.Key].Total}")));
        await CheckAsync(cancel);
    }

    /// <summary>The channel is cut under two agents that live: another connection of the machine takes its place, and goes.</summary>
    internal async Task ChannelCutAsync(CancellationToken cancel)
    {
        await CheckAsync(cancel);
        long connections = _host.A.Connections;
        _ = (await _agents.A.RunAsync(
            "setsid keck-guest run --channel vsock:2:19269 --state none --socket none --listen 127.0.0.1:9999 --powercap none >/run/other.log 2>&1 & echo $! >/run/other", cancel)).Succeeded();
        _ = await _agents.UntilAsync(look => look.A.Connections > connections, "another connection takes vm-a's place", cancel);
        _ = (await _agents.A.RunAsync("kill -KILL $(cat /run/other); while [ -d /proc/$(cat /run/other) ]; do sleep 0.1; done", cancel)).Succeeded();
        NestedHostLook again = await _agents.UntilAsync(look => look.A.Connections > connections + 1 && look.A.Connected, "vm-a's agent comes back", cancel);
        _a = await HeldAsync(_agents.A, _constantA, _a, again.A.Told, cancel);
        await CheckAsync(cancel);
    }

    /// <summary>vm-b's plug is pulled and it boots again: the host's account goes on, the guest begins anew.</summary>
    internal async Task MachineRebootedAsync(CancellationToken cancel)
    {
        await CheckAsync(cancel);
        NestedHostLook before = _host;
        _ = await _agents.RunAsync("virsh -q destroy vm-b && rm -f /run/rig/vm-b.console && virsh -q start vm-b", cancel);
        await _agents.B.ReadyAsync(cancel);
        _b = await BaselineAsync(_agents.B, cancel);
        NestedHostLook after = await _agents.UntilAsync(static look => look.B.Connected, "vm-b connected again", cancel);
        Forward(after, killed: false);
        Assert.True(_b.HostTotal >= before.B.Told, $"the host's account of vm-b was {before.B.Told} µJ before it booted again, and is {_b.HostTotal} µJ now");
        Assert.True(_b.Constant >= before.B.Told, $"what vm-b used before it booted is not its new ledger's: the baseline is {_b.Constant} µJ, it had {before.B.Told} µJ");
        (_host, _constantB) = (after, _b.Constant);
        await CheckAsync(cancel);
    }

    private async Task DownAsync(string stop, bool killed, CancellationToken cancel)
    {
        await CheckAsync(cancel);
        (NestedHostLook before, NestedGuestLook a, NestedGuestLook b) = (_host, _a, _b);
        _ = await _agents.RunAsync(stop, cancel);
        long from = await _agents.ReadPackageAsync(cancel), to = from;
        await Condition.HoldsAsync(async () => (to = await _agents.ReadPackageAsync(cancel)) > from + 20_000_000, "energy while keck-host is down", NestedAgents.Patience, cancel);
        _ = await _agents.RunAsync("systemctl start keck-host", cancel);
        if (killed)
        {
            _agents.Package.Killed();
            _agents.Dram.Killed();
        }

        // Nobody knows who ran meanwhile.
        NestedHostLook after = await _agents.UntilAsync(
            look => look.Unattributed - before.Unattributed >= to - from, "what came while keck-host was down is unattributed", cancel);
        Forward(after, killed);
        Assert.True(after.A.Total >= a.HostTotal && after.B.Total >= b.HostTotal, "a guest had been told more than its account has now");
        _host = await _agents.UntilAsync(static look => look.A.Connected && look.B.Connected, "both guests connected again", cancel);
        _a = await HeldAsync(_agents.A, _constantA, a, after.A.Told, cancel);
        _b = await HeldAsync(_agents.B, _constantB, b, after.B.Told, cancel);
        await CheckAsync(cancel);
    }

    // A kill may take back a tick that was shown and not saved, and never what a guest was told; nothing else takes anything back.
    private void Forward(NestedHostLook now, bool killed)
    {
        Assert.Equal(_host.Epoch, now.Epoch);
        foreach ((NestedMachineLook before, NestedMachineLook after) in (ReadOnlySpan<(NestedMachineLook, NestedMachineLook)>)[(_host.A, now.A), (_host.B, now.B)])
        {
            Assert.Equal(before.Series, after.Series);
            Assert.Equal(before.Counters.Length, after.Counters.Length);
            for (int i = 0; i < before.Counters.Length && !killed; i++)
            {
                Assert.True(after.Counters[i] >= before.Counters[i], $"counter {i} went back from {before.Counters[i]} to {after.Counters[i]} µJ");
            }
        }
    }

    private static async Task<NestedGuestLook> BaselineAsync(NestedDomain vm, CancellationToken cancel) =>
        await NestedAgents.GuestAsync(vm, static look => look.LedgerTotal > 0, "a budget that is attributed", cancel);

    // The same constant, in the same epoch, counters that did not go back, and the host's word up to a moment.
    private static async Task<NestedGuestLook> HeldAsync(NestedDomain vm, long constant, NestedGuestLook? before, long told, CancellationToken cancel)
    {
        NestedGuestLook look = await NestedAgents.GuestAsync(
            vm, look => look.Constant == constant && look.HostTotal >= told, $"host's counters − own ledger = {constant} µJ, up to {told} µJ", cancel);
        if (before is not null)
        {
            Assert.Equal(before.Epoch, look.Epoch);
            foreach ((string meter, long counted) in before.Host)
            {
                Assert.True(look.Host[meter] >= counted, $"{vm.Name}: {meter} went back from {counted} to {look.Host[meter]} µJ");
                Assert.True(look.Ledger[meter].Total >= before.Ledger[meter].Total, $"{vm.Name}: the ledger of {meter} went back");
            }
        }

        return look;
    }
}
