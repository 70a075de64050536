using Keck.Metering;

namespace Keck.Agent;

/// <summary>The documents about virtual machines.</summary>
internal static class MachineView
{
    /// <summary>A machine without its parts, for lists.</summary>
    internal static MachineDocument? Brief(ApiView view, IAgentState state, ConsumerTotals machine)
    {
        if (Totals(view.Ledger, machine.Id) is not { } totals)
        {
            return null;
        }

        MachineFacts? facts = state.Machine(machine.Id);
        long dram = 0;
        bool hasDram = false;
        for (int meter = 0; meter < view.Ledger.Meters.Length; meter++)
        {
            if (view.Ledger.Meters[meter].Meter.Domain == EnergyDomain.Dram)
            {
                hasDram = true;
                dram += machine.Active[meter];
            }
        }

        Divisible divisible = view.Divided(machine);
        EnergyFigure Part(long microjoules) => new(microjoules, divisible.Part(microjoules), default);
        long vcpus = totals.Vcpus.Sum(vcpu => vcpu.Microjoules);
        Dictionary<string, BoundsDocument>? bounds = !view.IsMetered ? null : new()
        {
            ["vcpus"] = ApiView.Of(Part(vcpus)),
            ["overhead"] = ApiView.Of(Part(totals.Overhead)),
            ["static.proportional"] = ApiView.Of(machine.StaticFigure(view.Ledger, IdlePolicy.Proportional)),
            ["static.allocated"] = ApiView.Of(machine.StaticFigure(view.Ledger, IdlePolicy.Allocated)),
        };
        if (hasDram)
        {
            bounds?.Add("dram", ApiView.Of(Part(dram)));
        }

        return new MachineDocument
        {
            Bounds = bounds,
            State = facts?.State ?? (totals.Running ? "running" : null),
            Manager = facts?.Manager,
            Owner = facts is null ? null : Owner(facts),
            PodUid = facts?.PodUid,
            Derived = facts?.Derived == true ? true : null,
            VcpuCount = totals.SizedVcpus,
            MemoryKibibytes = totals.MemoryKibibytes,
            Series = totals.Series,
            VcpusMicrojoules = view.Metered(vcpus),
            OverheadMicrojoules = view.Metered(totals.Overhead),
            DramMicrojoules = hasDram ? dram : null,
            Static = new MachineStaticDocument(machine.TotalStatic(IdlePolicy.Proportional), machine.TotalStatic(IdlePolicy.Allocated)),
            HaltPollSeconds = facts?.HaltPollNanoseconds / 1e9,
            Channel = facts?.Channel is { } channel ? Channel(channel) : null,
            Guest = facts?.Guest is { } guest
                ? new GuestSummaryDocument(ApiView.Whole(guest.At.UtcDateTime), guest.Interval, guest.Consumers.Length, guest.RestMicrojoules) : null,
        };
    }

    /// <summary>A machine with its vCPUs and threads.</summary>
    internal static MachineDocument? Whole(ApiView view, IAgentState state, ConsumerTotals machine) => Brief(view, state, machine) is { } brief
        ? brief with { Vcpus = Vcpus(view, machine), Threads = Threads(view, state, machine) }
        : null;

    /// <summary>One kind of what a guest reports, hungriest first.</summary>
    internal static GuestList Guest(string uuid, GuestReport report, string kind, int top)
    {
        GuestConsumer[] all = [.. report.Consumers.Where(consumer => consumer.Kind == kind)];
        return new GuestList
        {
            MachineUuid = uuid,
            At = ApiView.Whole(report.At.UtcDateTime),
            Interval = report.Interval,
            RestMicrojoules = report.RestMicrojoules,
            Count = all.Length,
            Items =
            [
                .. all.OrderByDescending(consumer => consumer.EnergyMicrojoules ?? -1).Take(top).Select(consumer => new GuestConsumerDocument
                {
                    Kind = consumer.Kind,
                    Name = consumer.Name,
                    Pid = consumer.Pid,
                    Namespace = consumer.Namespace,
                    PodUid = consumer.PodUid,
                    Container = consumer.ContainerId,
                    EnergyMicrojoules = consumer.EnergyMicrojoules,
                    Low = consumer.LowMicrojoules,
                    High = consumer.HighMicrojoules,
                    Quality = consumer.Quality,
                    Origin = consumer.Origin,
                }),
            ],
        };
    }

    private static MachineTotals? Totals(LedgerSnapshot ledger, string uuid)
    {
        foreach (MachineTotals totals in ledger.Machines)
        {
            if (totals.Uuid == uuid)
            {
                return totals;
            }
        }

        return null;
    }

    private static VcpuDocument[] Vcpus(ApiView view, ConsumerTotals machine)
    {
        MachineTotals now = Totals(view.Ledger, machine.Id)!;
        MachineTotals? before = view.Earlier is { } earlier && Totals(earlier, machine.Id) is { } known && known.Series == now.Series ? known : null;
        double seconds = view.Earlier is null ? 0 : (view.Ledger.EndNanoseconds - view.Earlier.EndNanoseconds) / 1e9;
        return
        [
            .. now.Vcpus.Select(vcpu => view.Filled(
                Part(view, machine, vcpu.Microjoules) with { Rate = before is null ? null : new EnergyRate(vcpu.Microjoules - Energy(before, vcpu.Vcpu), seconds) },
                new VcpuDocument { Vcpu = vcpu.Vcpu, CpuSeconds = vcpu.Nanoseconds / 1e9 })),
        ];
    }

    // A vCPU that was not there had used nothing.
    private static long Energy(MachineTotals machine, int vcpu) => vcpu < machine.Vcpus.Length ? machine.Vcpus[vcpu].Microjoules : 0;

    // Of the meters that follow runs.
    private static EnergyFigure Part(ApiView view, ConsumerTotals machine, long microjoules) => new(
        microjoules,
        view.Divided(machine).Part(microjoules),
        EnergySources.Of(view.Ledger.Meters, meter => view.Ledger.Meters[meter].Meter.Domain.FollowsRuns() ? machine.Active[meter] : 0));

    private static ThreadRoleDocument[] Threads(ApiView view, IAgentState state, ConsumerTotals machine) =>
    [
        .. view.Ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process && consumer.Machine == machine.Id && !consumer.Ended)
            .SelectMany(process => state.Threads(process.Pid))
            .GroupBy(thread => thread.Role).OrderBy(group => group.Key == ThreadRole.None).ThenBy(group => group.Key)
            .Select(group => view.Filled(Part(view, machine, group.Sum(thread => thread.Microjoules)), new ThreadRoleDocument
            {
                Role = group.Key == ThreadRole.None ? "other" : group.Key.ToString().ToLowerInvariant(),
                Count = group.Count(),
                CpuSeconds = group.Sum(thread => thread.CpuNanoseconds) / 1e9,
            })),
    ];

    private static MachineOwnerDocument? Owner(MachineFacts facts)
    {
        MachineOwnerDocument owner = new()
        {
            DisplayName = facts.DisplayName,
            Project = facts.Project,
            ProjectId = facts.ProjectId,
            User = facts.User,
            UserId = facts.UserId,
            Flavor = facts.Flavor,
            Tags = facts.Tags.Count > 0 ? facts.Tags : null,
        };
        return owner == new MachineOwnerDocument() ? null : owner;
    }

    private static MachineChannelDocument Channel(ChannelFacts facts) => new()
    {
        Connected = facts.Connected,
        Peer = facts.Peer,
        Since = facts.Since is { } since ? ApiView.Whole(since.UtcDateTime) : null,
        AgentVersion = facts.AgentVersion,
        Connections = facts.Connections,
        Frames = facts.Frames,
        Rejected = facts.Rejected,
        LastRejection = facts.LastRejection,
        AckSeconds = facts.AckNanoseconds / 1e9,
        AttributedSeconds = facts.AttributedNanoseconds / 1e9,
        DrainSeconds = facts.DrainNanoseconds / 1e9,
    };
}
