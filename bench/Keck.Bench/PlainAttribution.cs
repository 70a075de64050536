using Keck.Metering;

namespace Keck.Bench;

/// <summary>
/// The baseline: the same calculation as <see cref="Attributor"/> and <see cref="EnergyLedger"/> (full model, every meter read in every tick),
/// written the plain way with LINQ and dictionaries. Same figures, to the microjoule.
/// </summary>
internal sealed class PlainAttribution(AttributionOptions options)
{
    private const double WeightScale = 1L << 60;
    private readonly Dictionary<string, StaticFloor> _floors = [];

    /// <summary>Cumulative µJ by kind, consumer and meter.</summary>
    internal Dictionary<(ConsumerKind Kind, string Id, string Meter), (long Active, long Proportional)> Consumers { get; } = [];

    /// <summary>Cumulative 95 % bounds and CPU time by kind and consumer.</summary>
    internal Dictionary<(ConsumerKind Kind, string Id), (BoundSample Bounds, long Nanoseconds, long Instructions, long LlcMisses)> Usage { get; } = [];

    /// <summary>Cumulative µJ, ns and kilocycles by owner and CPU.</summary>
    internal Dictionary<(int Owner, int Package, int Cpu), (long Microjoules, long Nanoseconds, long KiloCycles)> Cores { get; } = [];

    /// <summary>Cumulative µJ and ns by thread.</summary>
    internal Dictionary<(int Tid, long Start), (long Microjoules, long Nanoseconds)> Threads { get; } = [];

    /// <summary>Cumulative µJ by meter: total, static, system active, idle under each policy.</summary>
    internal Dictionary<string, (long Total, long Static, long System, long IdleSeparate, long IdleProportional)> Meters { get; } = [];

    /// <summary>The last tick's µJ by run.</summary>
    internal Dictionary<int, long> RunEnergy { get; private set; } = [];

    internal void Tick(PlainTick tick)
    {
        List<PlainLeaf> leaves = Leaves(tick);
        Dictionary<(int Cpu, int Owner), long> cpuEnergy = [];
        RunEnergy = Enumerable.Range(0, tick.Runs.Length).ToDictionary(run => run, _ => 0L);
        Dictionary<int, BoundSample> bounds = [];
        foreach (MeterSample sample in tick.MeterSamples)
        {
            Meter meter = tick.Meters[sample.Meter];
            long total = sample.Microjoules;
            long fixedPart = StaticPart(tick, meter, total);
            List<PlainLeaf> covered = meter.Domain == EnergyDomain.Dram ? MemoryLeaves(tick) : [.. leaves.Where(leaf => leaf.Package == meter.Package)];
            double sum = covered.Sum(leaf => leaf.Weight);
            double scale = WeightScale / sum;
            List<long> parts = LargestRemainder(total - fixedPart, [.. covered.Select(leaf => (ulong)(leaf.Weight * scale))]);
            foreach ((PlainLeaf leaf, long part) in covered.Zip(parts))
            {
                if (leaf.Run >= 0)
                {
                    RunEnergy[leaf.Run] += part;
                }
                else if (leaf.Cpu >= 0)
                {
                    cpuEnergy[(leaf.Cpu, leaf.Owner)] = cpuEnergy.GetValueOrDefault((leaf.Cpu, leaf.Owner)) + part;
                }
            }

            var owners = covered.Zip(parts)
                .GroupBy(pair => pair.First.Owner)
                .Select(group => (Owner: group.Key, Weight: group.Sum(p => p.First.Weight), Time: group.Sum(p => p.First.Time), Active: group.Sum(p => p.Second)))
                .ToList();
            List<long> proportional = LargestRemainder(fixedPart, [.. owners.Select(owner => (ulong)owner.Active)]);
            Bound(tick, meter, sample, owners, total, fixedPart, bounds);
            long idle = total - owners.Sum(owner => owner.Active);
            (long Total, long Static, long System, long IdleSeparate, long IdleProportional) known = Meters.GetValueOrDefault(meter.Id);
            Meters[meter.Id] = (
                known.Total + total,
                known.Static + fixedPart,
                known.System + owners.Where(owner => owner.Owner == Leaf.SystemOwner).Sum(owner => owner.Active),
                known.IdleSeparate + idle,
                known.IdleProportional + idle - proportional.Sum());
            foreach (((int owner, _, _, long active), long part) in owners.Zip(proportional).Where(pair => pair.First.Owner >= 0))
            {
                foreach ((ConsumerKind, string) consumer in Consumer(tick.Processes[owner]))
                {
                    (ConsumerKind, string, string) key = (consumer.Item1, consumer.Item2, meter.Id);
                    (long Active, long Proportional) booked = Consumers.GetValueOrDefault(key);
                    Consumers[key] = (booked.Active + active, booked.Proportional + part);
                }
            }
        }

        Book(tick, bounds, cpuEnergy);
    }

    private static IEnumerable<(ConsumerKind Kind, string Id)> Consumer(ProcessRow process) =>
    [
        (ConsumerKind.Process, $"{process.Pid}/{process.StartNanoseconds}"),
        (ConsumerKind.Cgroup, process.Cgroup!),
        (ConsumerKind.Container, process.Container!),
        (ConsumerKind.Pod, process.PodUid!),
    ];

    private static List<long> LargestRemainder(long total, List<ulong> weights)
    {
        UInt128 sum = weights.Aggregate((UInt128)0, (s, weight) => s + weight);
        List<(UInt128 Share, UInt128 Remainder)> exact = [.. weights.Select(weight => UInt128.DivRem((UInt128)(ulong)total * weight, sum))];
        List<long> shares = [.. exact.Select(part => (long)part.Share)];
        foreach (int index in Enumerable.Range(0, shares.Count).OrderByDescending(i => exact[i].Remainder).ThenBy(i => i).Take((int)(total - shares.Sum())))
        {
            shares[index]++;
        }

        return shares;
    }

    private List<PlainLeaf> Leaves(PlainTick tick)
    {
        var runs = tick.Threads.SelectMany(thread => Enumerable.Range(thread.FirstRun, thread.RunCount).Select(run => (Thread: thread, Run: run))).ToList();
        double withCounters = runs.Sum(r => (double)tick.Runs[r.Run].Nanoseconds);
        double meanFactor = runs.Sum(r => tick.Runs[r.Run].Nanoseconds * Factor(r.Thread)) / withCounters;
        return
        [
            .. runs.Select(r =>
            {
                RunSample run = tick.Runs[r.Run];
                double time = run.Nanoseconds - (run.SharedNanoseconds * (1 - options.SharedWeight));
                double gigahertz = run.KiloCycles * 1e3 / run.Nanoseconds;
                return new PlainLeaf(tick.Identities[r.Thread.Row].Process, r.Run, -1, tick.Places[run.Cpu].Package, time * (gigahertz * gigahertz) * Factor(r.Thread), time);
            }),
            .. tick.Cpus.Where(cpu => cpu.InterruptNanoseconds > 0).Select(cpu =>
            {
                double gigahertz = cpu.KiloHertz / 1e6;
                return new PlainLeaf(Leaf.SystemOwner, -1, cpu.Cpu, tick.Places[cpu.Cpu].Package, cpu.InterruptNanoseconds * (gigahertz * gigahertz * meanFactor), cpu.InterruptNanoseconds);
            }),
        ];
    }

    private double Factor(ThreadSample thread) =>
        1 + (options.Alpha * thread.Instructions / thread.Cycles) + (options.Beta * thread.LlcMisses / Math.Max(1, thread.Instructions));

    private List<PlainLeaf> MemoryLeaves(PlainTick tick)
    {
        Dictionary<int, long> misses = tick.Threads.GroupBy(thread => tick.Identities[thread.Row].Process).ToDictionary(group => group.Key, group => group.Sum(thread => thread.LlcMisses));
        double allMisses = tick.Threads.Sum(thread => (double)thread.LlcMisses);
        double allMemory = tick.Processes.Sum(process => (double)process.PssKibibytes);
        double missPart = 1 - options.DramPssPart;
        return
        [
            .. tick.Processes.Select((process, row) =>
            {
                double weight = (missPart * misses.GetValueOrDefault(row) / allMisses) + ((1 - missPart) * (double)process.PssKibibytes / allMemory);
                return new PlainLeaf(row, -1, -1, -1, weight, weight);
            }),
        ];
    }

    private long StaticPart(PlainTick tick, Meter meter, long total)
    {
        if (!_floors.TryGetValue(meter.Id, out StaticFloor? floor))
        {
            _floors.Add(meter.Id, floor = new StaticFloor());
        }

        List<CpuSample> cpus = [.. tick.Cpus.Where(cpu => tick.Places[cpu.Cpu].Package == meter.Package)];
        return floor.Part(total, tick.Length, cpus.Sum(cpu => (double)(cpu.BusyNanoseconds + cpu.InterruptNanoseconds)), (double)tick.Length * cpus.Count);
    }

    private void Bound(
        PlainTick tick, Meter meter, MeterSample sample, List<(int Owner, double Weight, double Time, long Active)> owners, long total, long fixedPart, Dictionary<int, BoundSample> bounds)
    {
        double active = total - fixedPart;
        double weights = owners.Sum(owner => owner.Weight), times = owners.Sum(owner => owner.Time);
        double less = _floors[meter.Id].TickMayBeLess * fixedPart, more = _floors[meter.Id].TickMayBeMore * fixedPart;
        double skew = Math.Abs(tick.End - sample.ReadNanoseconds) + 1e6;
        double jitter = total * skew / (skew + Math.Max(1, tick.Length));
        double quantum = meter.Quantum!.Value.Value / Math.Sqrt(3);
        double spread = meter.Domain == EnergyDomain.Dram ? 0.5 : 0.25;
        foreach ((int owner, double weight, double time, long own) in owners.Where(owner => owner.Owner >= 0))
        {
            double share = weight / weights;
            double model = (Math.Abs(share - (time / times)) * active) + (spread * active * share * (1 - share));
            BoundSample sum = bounds.GetValueOrDefault(owner);
            sum.Add(new BoundSample
            {
                SystematicBelow = model + (share * Math.Min(more, active)) + (own * (1 - meter.LowFactor)),
                SystematicAbove = model + (share * less) + (own * (meter.HighFactor - 1)),
                RandomSquare = share * share * ((jitter * jitter) + (quantum * quantum)),
            });
            bounds[owner] = sum;
        }
    }

    private void Book(PlainTick tick, Dictionary<int, BoundSample> bounds, Dictionary<(int Cpu, int Owner), long> cpuEnergy)
    {
        foreach ((int process, BoundSample bound) in bounds)
        {
            foreach ((ConsumerKind, string) consumer in Consumer(tick.Processes[process]))
            {
                (BoundSample Bounds, long Nanoseconds, long Instructions, long LlcMisses) usage = Usage.GetValueOrDefault(consumer);
                usage.Bounds.Add(bound);
                Usage[consumer] = usage;
            }
        }

        foreach (ThreadSample thread in tick.Threads)
        {
            ThreadRow row = tick.Identities[thread.Row];
            var runs = Enumerable.Range(thread.FirstRun, thread.RunCount).Select(run => (Sample: tick.Runs[run], Energy: RunEnergy[run])).ToList();
            long nanoseconds = runs.Sum(run => run.Sample.Nanoseconds);
            foreach ((RunSample run, long energy) in runs)
            {
                AddCore((row.Process, tick.Places[run.Cpu].Package, run.Cpu), energy, run.Nanoseconds, run.KiloCycles);
            }

            foreach ((ConsumerKind, string) consumer in Consumer(tick.Processes[row.Process]))
            {
                (BoundSample Bounds, long Nanoseconds, long Instructions, long LlcMisses) usage = Usage.GetValueOrDefault(consumer);
                Usage[consumer] = (usage.Bounds, usage.Nanoseconds + nanoseconds, usage.Instructions + thread.Instructions, usage.LlcMisses + thread.LlcMisses);
            }

            (long Microjoules, long Nanoseconds) known = Threads.GetValueOrDefault((row.Tid, row.StartNanoseconds));
            Threads[(row.Tid, row.StartNanoseconds)] = (known.Microjoules + runs.Sum(run => run.Energy), known.Nanoseconds + nanoseconds);
        }

        foreach (CpuSample cpu in tick.Cpus)
        {
            AddCore((Leaf.SystemOwner, tick.Places[cpu.Cpu].Package, cpu.Cpu), cpuEnergy.GetValueOrDefault((cpu.Cpu, Leaf.SystemOwner)), cpu.InterruptNanoseconds, 0);
        }
    }

    private void AddCore((int Owner, int Package, int Cpu) key, long microjoules, long nanoseconds, long kiloCycles)
    {
        (long Microjoules, long Nanoseconds, long KiloCycles) known = Cores.GetValueOrDefault(key);
        Cores[key] = (known.Microjoules + microjoules, known.Nanoseconds + nanoseconds, known.KiloCycles + kiloCycles);
    }
}
