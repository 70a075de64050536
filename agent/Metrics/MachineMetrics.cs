using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The agents' own metrics about virtual machines and the channels to their guests; what guests claim is not among them.</summary>
internal static class MachineMetrics
{
    internal static readonly ImmutableArray<MetricDefinition> Table =
    [
        new("keck_machine_joules", MetricType.Counter, "joules", "uuid,name,component,share",
            "Energy of a virtual machine. component: cpu (its vCPUs), overhead (its other threads), dram, gpu; share: active, or idle under the proportional and allocated policies.", Machine),
        new("keck_machine_vcpu_joules", MetricType.Counter, "joules", "uuid,vcpu", "Active energy of a vCPU; a part of its machine's cpu component.", Vcpus),
        new("keck_machine_info", MetricType.Gauge, null, "uuid,name,state,manager,project,project_id,user,user_id,flavor,display_name,pod_uid",
            "Constant 1; whose a virtual machine is, as its manager says.", Info),
        new("keck_machine_halt_poll_seconds", MetricType.Counter, "seconds", "uuid",
            "Time that KVM spun on the host for a machine's halted vCPUs; a part of its CPU time.", (scrape, writer) => Each(scrape, (uuid, facts) =>
            {
                if (facts.HaltPollNanoseconds is { } polled)
                {
                    writer.Sample().Label("uuid", uuid).Billionths(polled);
                }
            })),
        new("keck_channel_connected", MetricType.Gauge, null, "uuid", "Whether a machine's guest agent is connected; absent where the machine has no channel.",
            (scrape, writer) => Channels(scrape, writer, channel => channel.Connected ? 1 : 0)),
        new("keck_channel_frames", MetricType.Counter, null, "uuid", "Frames to and from a machine's guest agent.",
            (scrape, writer) => Channels(scrape, writer, channel => channel.Frames)),
        new("keck_channel_rejected", MetricType.Counter, null, "uuid", "Connections of a machine that were refused, or ended for a fault of the guest.",
            (scrape, writer) => Channels(scrape, writer, channel => channel.Rejected)),
        new("keck_channel_refused", MetricType.Counter, null, "reason",
            "Connections of guests, and of addresses that are no machine's, that were not let in (too_often, too_soon after a fault, too_many_at_address, too_many in all, unprivileged_port, no_machine) or let go (protocol).",
            (scrape, writer) =>
            {
                foreach ((string reason, long count) in scrape.Parts.State.ChannelRefusals())
                {
                    writer.Sample().Label("reason", reason).Value(count);
                }
            }),
    ];

    private static void Machine(MetricScrape scrape, ExpositionWriter writer)
    {
        Span<long> active = stackalloc long[EnergyComponents.Names.Length];
        Span<long> idle = stackalloc long[EnergyComponents.Names.Length];
        Span<bool> present = stackalloc bool[EnergyComponents.Names.Length];
        foreach ((ConsumerTotals machine, MachineTotals totals) in scrape.Machines)
        {
            active.Clear();
            idle.Clear();
            present.Clear();
            for (int meter = 0; meter < scrape.Ledger.Meters.Length; meter++)
            {
                int component = EnergyComponents.Of(scrape.Ledger.Meters[meter].Meter.Domain);
                present[component] = true;
                active[component] += machine.Active[meter];
                idle[component] += machine.Static(scrape.Policy, meter);
            }

            // The overhead is a part of what follows runs, told apart here.
            active[EnergyComponents.Cpu] -= totals.Overhead;
            active[EnergyComponents.Overhead] += totals.Overhead;
            present[EnergyComponents.Overhead] |= present[EnergyComponents.Cpu];
            for (int component = 0; component < active.Length; component++)
            {
                if (present[component])
                {
                    Sample(component, "active", active[component]);
                    if (scrape.Policy != IdlePolicy.Separate && (component != EnergyComponents.Overhead || idle[component] != 0))
                    {
                        Sample(component, "idle", idle[component]);
                    }
                }
            }

            void Sample(int component, string share, long microjoules) => writer.Sample()
                .Label("uuid", machine.Id).Label("name", totals.Name).Label("component", EnergyComponents.Names[component]).Label("share", share).Millionths(microjoules);
        }
    }

    private static void Vcpus(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach ((ConsumerTotals machine, MachineTotals totals) in scrape.Machines)
        {
            foreach (VcpuTotals vcpu in totals.Vcpus)
            {
                writer.Sample().Label("uuid", machine.Id).Label("vcpu", vcpu.Vcpu).Millionths(vcpu.Microjoules);
            }
        }
    }

    private static void Info(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach ((ConsumerTotals machine, MachineTotals totals) in scrape.Machines)
        {
            MachineFacts? facts = scrape.Facts(machine.Id);
            writer.Sample().Label("uuid", machine.Id).Label("name", totals.Name).Label("state", facts?.State).Label("manager", facts?.Manager)
                .Label("project", facts?.Project).Label("project_id", facts?.ProjectId).Label("user", facts?.User).Label("user_id", facts?.UserId)
                .Label("flavor", facts?.Flavor).Label("display_name", facts?.DisplayName).Label("pod_uid", facts?.PodUid).Value(1);
        }
    }

    private static void Channels(MetricScrape scrape, ExpositionWriter writer, Func<ChannelFacts, long> figure) => Each(scrape, (uuid, facts) =>
    {
        if (facts.Channel is { } channel)
        {
            writer.Sample().Label("uuid", uuid).Value(figure(channel));
        }
    });

    private static void Each(MetricScrape scrape, Action<string, MachineFacts> show)
    {
        foreach ((ConsumerTotals machine, MachineTotals _) in scrape.Machines)
        {
            if (scrape.Facts(machine.Id) is { } facts)
            {
                show(machine.Id, facts);
            }
        }
    }
}
