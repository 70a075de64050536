using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The table of the agents' own metrics.</summary>
internal static class OwnMetrics
{
    internal static readonly ImmutableArray<MetricDefinition> Table =
    [
        Counter("keck_domain_joules", "domain,package,origin,quality", "Energy of a domain, as its selected meters count it.", Domain),
        Counter("keck_static_joules", "domain,package", "The part of keck_domain_joules_total that the domain draws whether or not anything runs.",
            (scrape, writer) => Groups(scrape, writer, meter => meter.Static)),
        Counter("keck_processes_joules", "domain,package", "Energy of all processes, ended ones included.",
            (scrape, writer) => Processes(scrape, writer)),
        Counter("keck_departed_joules", "domain,package", "The part of keck_processes_joules_total whose processes ended and are no longer told apart.",
            (scrape, writer) => Groups(scrape, writer, meter => meter.DepartedActive + (scrape.Policy == IdlePolicy.Proportional ? meter.DepartedProportional : 0))),
        Counter("keck_system_joules", "domain,package", "Energy of kernel threads and interrupts.",
            (scrape, writer) => Groups(scrape, writer, meter => meter.SystemActive + (scrape.Policy == IdlePolicy.Proportional ? meter.SystemProportional : 0))),
        Counter("keck_idle_joules", "domain,package", "Static energy that the idle policy leaves to nobody.",
            (scrape, writer) => Groups(scrape, writer, meter => meter.Idle(scrape.Policy))),
        Counter("keck_unattributed_joules", "domain,package", "Energy whose runs are unknown: lost slots, agent downtime, discarded readings.",
            (scrape, writer) => Groups(scrape, writer, meter => meter.UnattributedActive + (scrape.Policy == IdlePolicy.Proportional ? meter.UnattributedProportional : 0))),
        Counter("keck_allocated_joules", "domain,package", "Static energy allocated to virtual machines by their size, those that are gone included; under the allocated policy only.", Allocated),
        Counter("keck_overhead_joules", "domain,package", "In a guest: what the hypervisor spent on it outside its vCPUs.", Overhead),
        Counter("keck_pod_joules", "namespace,pod,uid,component,share", "Energy of a pod; share is active, or idle under the proportional policy.",
            (scrape, writer) => Components(scrape, writer, scrape.Pods, PodLabels)),
        Counter("keck_container_joules", "namespace,pod,uid,container,id,component,share", "Energy of a container.",
            (scrape, writer) => Components(scrape, writer, scrape.Containers, ContainerLabels)),
        Counter("keck_process_joules", "pid,start,comm,uid,id,domain,package,share",
            "Energy of a process; only with --expose-processes top:N. start: seconds since boot; uid: its pod; id: its container.", Process),
        Gauge("keck_platform_watts", "watts", "source", "Power of the whole machine, as each meter of it says.", Platform),
        Gauge("keck_error_ratio", "ratio", "", "What the components leave unexplained of the whole machine's meter, after the learned part.",
            (scrape, writer) => Optional(writer, scrape.Parts.State.Reconciliation()?.ErrorRatio)),
        Gauge("keck_gap_ratio", "ratio", "", "(platform − components) / platform, as measured: fans, boards, losses.",
            (scrape, writer) => Optional(writer, scrape.Parts.State.Reconciliation()?.GapRatio)),
        Gauge("keck_bound_ratio", "ratio", "consumer_kind", "Half the width of the 95 % bounds of all consumers of a kind together, over their energy.", Bounds),
        Gauge("keck_meter_up", null, "meter,domain,origin,quality,selected", "Whether the last reading of a meter had a value.", MeterUp),
        Counter("keck_meter_errors", "meter", "Readings of a meter that failed.",
            (scrape, writer) =>
            {
                foreach (MeterReport report in scrape.Reports)
                {
                    writer.Sample().Label("meter", report.Meter.Id).Value(report.Errors);
                }
            }, null),
        Counter("keck_run_switches", "", "Context switches seen by the run source.", (scrape, writer) => Optional(writer, scrape.Parts.State.Runs().Switches), null),
        Counter("keck_run_missed_switches", "", "Context switches that the run source missed; made good at the thread's next switch.",
            (scrape, writer) => Optional(writer, scrape.Parts.State.Runs().MissedSwitches), null),
        Counter("keck_run_lost_seconds", "", "CPU time for which no accounting slot was free or no thread was found; its energy is unattributed.",
            (scrape, writer) =>
            {
                if (scrape.Parts.State.Runs().LostNanoseconds is { } lost)
                {
                    writer.Sample().Billionths(lost);
                }
            }, "seconds"),
        Counter("keck_run_unplaced_seconds", "", "CPU time of threads that came and went between switches that the run source missed; a part of keck_run_lost_seconds_total.",
            (scrape, writer) =>
            {
                if (scrape.Parts.State.Runs().UnplacedNanoseconds is { } unplaced)
                {
                    writer.Sample().Billionths(unplaced);
                }
            }, "seconds"),
        Counter("keck_run_unconfirmed_cuts", "", "Readings of a CPU at which another thread ran than the one on record.",
            (scrape, writer) => Optional(writer, scrape.Parts.State.Runs().UnconfirmedCuts), null),
        Counter("keck_held_without_owner", "", "Runs held for a slow meter without their owner, because too many owners came by while it was silent; they share in its reading as unattributed.",
            (scrape, writer) => Optional(writer, scrape.Parts.State.HeldWithoutOwner()), null),
        Gauge("keck_run_slots", null, "state", "Accounting slots of the run source: used, limit.", Slots),
        Gauge("keck_tick_duration_seconds", "seconds", "phase", "How long each phase of the last tick took.", Phases),
        Counter("keck_ticks", "", "Ticks attributed.", (scrape, writer) => writer.Sample().Value(scrape.Ledger.Tick), null),
        Counter("keck_agent_cpu_seconds", "", "CPU time of the agent itself.", (scrape, writer) => writer.Sample().Billionths(scrape.Self.CpuNanoseconds), "seconds"),
        Gauge("keck_agent_resident_bytes", "bytes", "", "Resident memory of the agent.", (scrape, writer) => Optional(writer, scrape.Self.ResidentBytes)),
        Gauge("keck_agent_anonymous_bytes", "bytes", "", "Anonymous resident memory of the agent: its cost beyond the executable.",
            (scrape, writer) => Optional(writer, scrape.Self.AnonymousBytes)),
        Gauge("keck_agent_map_bytes", "bytes", "", "Memory of the agent's eBPF maps, not part of its resident memory.", (scrape, writer) => Optional(writer, scrape.Self.MapBytes)),
        Counter("keck_agent_joules", "", "Active energy of the agent itself, over all domains.", AgentEnergy),
        Gauge("keck_agent_profile", null, "profile", "1 for the profile in force, 0 for the others.", Profile),
        Counter("keck_agent_profile_changes", "", "How often the agent changed its profile to stay within its budget.",
            (scrape, writer) => writer.Sample().Value(scrape.Node.ProfileChanges), null),
        Gauge("keck_agent_info", null, "agent,version,model,idle_policy,run_source", "Constant 1; what the figures were made with.",
            (scrape, writer) => writer.Sample().Label("agent", scrape.Node.Agent).Label("version", scrape.Node.Version)
                .Label("model", scrape.Ledger.Model.Name()).Label("idle_policy", scrape.Node.IdlePolicy.Name())
                .Label("run_source", scrape.Parts.State.Runs().Name).Value(1)),
        Gauge("keck_calibration_info", null, "state,hash", "Constant 1; state of the machine profile: none, used, stale or unreadable.",
            (scrape, writer) =>
            {
                if (scrape.Node.Calibration is { } calibration)
                {
                    writer.Sample().Label("state", calibration.StateName).Label("hash", calibration.Hash).Value(1);
                }
            }),
        Gauge("keck_history_series", null, "", "Series kept at all resolutions.", (scrape, writer) => writer.Sample().Value(scrape.Parts.History.Tracked)),
        Counter("keck_history_evicted", "", "Series let go from the ring store.", (scrape, writer) => writer.Sample().Value(scrape.Parts.History.Evicted), null),
        Gauge("keck_hidden_consumers", null, "consumer_kind", "Consumers beyond the profile's limit, not shown one by one here.", Hidden),
    ];

    private static MetricDefinition Counter(
        string name, string labels, string help, Action<MetricScrape, ExpositionWriter> collect, string? unit = "joules") =>
        new(name, MetricType.Counter, unit, labels, help, collect);

    private static MetricDefinition Gauge(string name, string? unit, string labels, string help, Action<MetricScrape, ExpositionWriter> collect) =>
        new(name, MetricType.Gauge, unit, labels, help, collect);

    private static void Optional(ExpositionWriter writer, double? value)
    {
        if (value is { } known)
        {
            writer.Sample().Value(known);
        }
    }

    private static void Optional(ExpositionWriter writer, long? value)
    {
        if (value is { } known)
        {
            writer.Sample().Value(known);
        }
    }

    private static void Domain(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (MeterGroup group in scrape.Groups)
        {
            foreach (IGrouping<(EnergyOrigin Origin, ReadingQuality Quality), MeterTotals> kind in group.Meters
                .GroupBy(meter => (meter.Meter.Origin, meter.Meter.Quality)))
            {
                writer.Sample().Label("domain", group.Domain.Name()).Label("package", group.Package)
                    .Label("origin", kind.Key.Origin.Name()).Label("quality", kind.Key.Quality.Name())
                    .Millionths(kind.Sum(meter => meter.Total));
            }
        }
    }

    private static void Groups(MetricScrape scrape, ExpositionWriter writer, Func<MeterTotals, long> figure)
    {
        foreach (MeterGroup group in scrape.Groups)
        {
            writer.Sample().Label("domain", group.Domain.Name()).Label("package", group.Package).Millionths(group.Sum(figure));
        }
    }

    private static void Allocated(MetricScrape scrape, ExpositionWriter writer)
    {
        if (scrape.Policy != IdlePolicy.Allocated)
        {
            return;
        }

        ConsumerTotals[] machines = [.. scrape.Ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Machine)];
        foreach (MeterGroup group in scrape.Groups)
        {
            long gone = group.Sum(meter => meter.DepartedAllocated);
            writer.Sample().Label("domain", group.Domain.Name()).Label("package", group.Package)
                .Millionths(gone + machines.Sum(machine => group.Indexes.Sum(index => machine.Static(IdlePolicy.Allocated, index))));
        }
    }

    private static void Overhead(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (MeterGroup group in scrape.Groups)
        {
            if (group.Domain == EnergyDomain.Overhead || group.Sum(meter => meter.Overhead) > 0)
            {
                writer.Sample().Label("domain", group.Domain.Name()).Label("package", group.Package).Millionths(group.Sum(meter => meter.Overhead));
            }
        }
    }

    private static void Processes(MetricScrape scrape, ExpositionWriter writer)
    {
        long[] sums = new long[scrape.Ledger.Meters.Length];
        foreach (ConsumerTotals consumer in scrape.Ledger.Consumers)
        {
            for (int meter = 0; consumer.Kind == ConsumerKind.Process && meter < sums.Length; meter++)
            {
                sums[meter] += consumer.Active[meter] + consumer.Static(scrape.Policy, meter);
            }
        }

        foreach (MeterGroup group in scrape.Groups)
        {
            long departed = group.Sum(meter => meter.DepartedActive + (scrape.Policy == IdlePolicy.Proportional ? meter.DepartedProportional : 0));
            writer.Sample().Label("domain", group.Domain.Name()).Label("package", group.Package)
                .Millionths(group.Indexes.Sum(index => sums[index]) + departed);
        }
    }

    private static void Process(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (ConsumerTotals process in scrape.Processes)
        {
            string start = (process.StartNanoseconds / 1e9).ToString("0.00", CultureInfo.InvariantCulture);
            foreach (MeterGroup group in scrape.Groups)
            {
                Share("active", group.Indexes.Sum(index => process.Active[index]));
                if (scrape.Policy == IdlePolicy.Proportional)
                {
                    Share("idle", group.Indexes.Sum(index => process.Proportional[index]));
                }

                void Share(string share, long microjoules) => writer.Sample()
                    .Label("pid", process.Pid).Label("start", start).Label("comm", process.Name).Label("uid", process.PodUid).Label("id", process.Container)
                    .Label("domain", group.Domain.Name()).Label("package", group.Package).Label("share", share).Millionths(microjoules);
            }
        }
    }

    private static void Components(
        MetricScrape scrape, ExpositionWriter writer, ConsumerTotals[] consumers, Action<MetricScrape, ExpositionWriter, ConsumerTotals> labels)
    {
        Span<long> active = stackalloc long[EnergyComponents.Names.Length];
        Span<long> idle = stackalloc long[EnergyComponents.Names.Length];
        Span<bool> present = stackalloc bool[EnergyComponents.Names.Length];
        foreach (ConsumerTotals consumer in consumers)
        {
            active.Clear();
            idle.Clear();
            present.Clear();
            for (int meter = 0; meter < scrape.Ledger.Meters.Length; meter++)
            {
                int component = EnergyComponents.Of(scrape.Ledger.Meters[meter].Meter.Domain);
                present[component] = true;
                active[component] += consumer.Active[meter];
                idle[component] += consumer.Static(scrape.Policy, meter);
            }

            for (int component = 0; component < active.Length; component++)
            {
                if (present[component])
                {
                    Sample(component, "active", active[component]);
                    if (scrape.Policy == IdlePolicy.Proportional)
                    {
                        Sample(component, "idle", idle[component]);
                    }
                }
            }

            void Sample(int component, string share, long microjoules)
            {
                labels(scrape, writer.Sample(), consumer);
                writer.Label("component", EnergyComponents.Names[component]).Label("share", share).Millionths(microjoules);
            }
        }
    }

    private static void PodLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals pod)
    {
        PodName? name = scrape.Parts.Names.Pod(pod.Id);
        _ = writer.Label("namespace", name?.Namespace).Label("pod", name?.Name).Label("uid", pod.Id);
    }

    private static void ContainerLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals container)
    {
        PodName? pod = container.PodUid is { } uid ? scrape.Parts.Names.Pod(uid) : null;
        _ = writer.Label("namespace", pod?.Namespace).Label("pod", pod?.Name).Label("uid", container.PodUid)
            .Label("container", scrape.Parts.Names.Container(container.Id)?.Name).Label("id", container.Id);
    }

    private static void Platform(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (MeterReport report in scrape.Reports)
        {
            if (report is { Meter.Domain: EnergyDomain.Platform, Watts: { } watts })
            {
                writer.Sample().Label("source", report.Meter.Id).Value(watts);
            }
        }
    }

    private static void Bounds(MetricScrape scrape, ExpositionWriter writer)
    {
        for (ConsumerKind kind = ConsumerKind.Process; kind <= ConsumerKind.Machine; kind++)
        {
            BoundSample bounds = default;
            long energy = 0;
            foreach (ConsumerTotals consumer in scrape.Ledger.Consumers)
            {
                if (consumer.Kind == kind)
                {
                    bounds.Add(consumer.Bounds);
                    energy += consumer.TotalActive;
                }
            }

            if (energy > 0)
            {
                writer.Sample().Label("consumer_kind", SeriesKey.KindNames[(int)SeriesKind.Process + (int)kind])
                    .Value((bounds.High(energy) - bounds.Low(energy)) / 2.0 / energy);
            }
        }
    }

    private static void MeterUp(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (MeterReport report in scrape.Reports)
        {
            writer.Sample().Label("meter", report.Meter.Id).Label("domain", report.Meter.Domain.Name())
                .Label("origin", report.Meter.Origin.Name()).Label("quality", report.Meter.Quality.Name())
                .Label("selected", report.Meter.Selected ? "true" : "false").Value(report.Absent is null ? 1 : 0);
        }
    }

    private static void Slots(MetricScrape scrape, ExpositionWriter writer)
    {
        RunSourceFacts runs = scrape.Parts.State.Runs();
        if (runs.SlotsUsed is { } used)
        {
            writer.Sample().Label("state", "used").Value(used);
        }

        if (runs.SlotLimit is { } limit)
        {
            writer.Sample().Label("state", "limit").Value(limit);
        }
    }

    private static void Phases(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (TickPhase phase in scrape.Parts.State.Phases())
        {
            writer.Sample().Label("phase", phase.Name).Billionths(phase.Nanoseconds);
        }
    }

    private static void AgentEnergy(MetricScrape scrape, ExpositionWriter writer)
    {
        if (SelfMeter.Row(scrape.Ledger, scrape.Self.Pid) is { } row)
        {
            writer.Sample().Millionths(row.TotalActive);
        }
    }

    private static void Profile(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (AgentProfile profile in AgentProfile.All)
        {
            writer.Sample().Label("profile", profile.Name).Value(profile.Kind == scrape.Node.Profile ? 1 : 0);
        }
    }

    private static void Hidden(MetricScrape scrape, ExpositionWriter writer)
    {
        if (scrape.Ledger.Tick > 0)
        {
            writer.Sample().Label("consumer_kind", "pod").Value(scrape.HiddenPods);
            writer.Sample().Label("consumer_kind", "container").Value(scrape.HiddenContainers);
            writer.Sample().Label("consumer_kind", "machine").Value(scrape.HiddenMachines);
        }
    }
}
