using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// In a machine whose host tells it its energy: the budget that <c>keck-guest</c> beside us hands on, one meter for each of its counters.
/// A file that has not been written for <see cref="StaleNanoseconds"/> has no values, whatever it says.
/// </summary>
internal sealed class BudgetSource : IEnergySource, IMarkedSource
{
    /// <summary>The agent writes at each of its ticks, and every few seconds where those are far apart.</summary>
    internal const long StaleNanoseconds = 30_000_000_000;

    // The host has told static energy apart: none is to be learned of what is left.
    private const double NoneStatic = 0;

    // As the channel tells it: whole millijoules.
    private static readonly Microjoules Step = new(1_000);

    private readonly string? _path;
    private readonly PowerEnvironment _environment;
    private readonly ImmutableArray<string> _names;
    private readonly BudgetMark?[] _marks;
    private MeterProblem? _problem;
    private string? _lastText;
    private HandedBudget? _last;

    private BudgetSource(string? path, PowerEnvironment environment, ImmutableArray<string> names, ImmutableArray<SourceMeter> meters, SourceFinding finding)
    {
        (_path, _environment, _names, Meters, Finding) = (path, environment, names, meters, finding);
        _marks = new BudgetMark?[names.Length];
    }

    /// <inheritdoc/>
    public string Name => "budget";

    /// <inheritdoc/>
    public MeterTier Tier => MeterTier.Fast;

    /// <inheritdoc/>
    public ImmutableArray<SourceMeter> Meters { get; }

    /// <inheritdoc/>
    public SourceFinding Finding { get; }

    /// <summary>Finds the counters.</summary>
    internal static BudgetSource Discover(PowerEnvironment environment) => Discover(environment, []);

    /// <summary>Finds the counters that are not among those known by <see cref="SourceMeter.Where"/>: the guest agent has started, or a vCPU was plugged in.</summary>
    internal static BudgetSource Discover(PowerEnvironment environment, ImmutableArray<SourceMeter> known)
    {
        string? path = environment.Options.Budget;
        if (path is null)
        {
            return new BudgetSource(null, environment, [], [], new SourceFinding("budget", false, "none is looked for"));
        }

        HandedBudget? budget = Take(environment, path, null, null, out MeterProblem? problem, out _);
        if (budget is null)
        {
            bool guest = environment.Cpu.Hypervisor;
            return new BudgetSource(path, environment, [], [], new SourceFinding("budget", false, guest ? $"no budget of this machine's host: {problem!.What}" : "none, and this is no virtual machine")
            {
                Needs = guest ? "keck-guest in this machine, and keck-host on its host" : null,
            });
        }

        (string Name, SourceMeter Meter)[] found =
        [
            .. budget.Counters.Select(counter => (counter.Name, Meter: MeterOf(environment, counter.Name) is { } meter ? new SourceMeter(meter, $"{path} {counter.Name}") { Rank = 0 } : null))
                .Where(one => one.Meter is not null && !known.Any(other => other.Where == one.Meter.Where)).Select(one => (one.Name, one.Meter!)),
        ];
        return new BudgetSource(path, environment, [.. found.Select(one => one.Name)], [.. found.Select(one => one.Meter)],
            new SourceFinding("budget", true, $"{budget.Counters.Length} counters of this machine's host, by keck-guest in {path}"));
    }

    /// <inheritdoc/>
    public void Read(in ReadContext context, Span<MeterReport> reports)
    {
        if (_path is null || _names.IsEmpty)
        {
            return;
        }

        HandedBudget? budget = Take(_environment, _path, _lastText, _last, out MeterProblem? problem, out string? text);
        long now = _environment.Clock.Nanoseconds;
        if (budget is null)
        {
            // The same words as before are the same problem: nothing changed.
            _problem = _problem?.What == problem!.What ? _problem : problem;
            for (int i = 0; i < reports.Length; i++)
            {
                reports[i].SetAbsent(_problem, now);
            }

            return;
        }

        (_lastText, _last, _problem) = (text, budget, null);
        for (int i = 0; i < reports.Length; i++)
        {
            Read(i, budget, now, ref reports[i]);
        }
    }

    /// <inheritdoc/>
    public (long Microjoules, long Nanoseconds)? Mark(int meter) => _marks[meter] is { } mark ? (mark.Microjoules, mark.ReachedNanoseconds) : null;

    /// <inheritdoc/>
    public void Resume(int meter, long microjoules, long nanoseconds) => _marks[meter] = new BudgetMark(microjoules, 0, 0, nanoseconds) { Resumed = true };

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Read(int meter, HandedBudget budget, long now, ref MeterReport report)
    {
        BudgetCount? found = null;
        foreach (BudgetCount counter in budget.Counters)
        {
            if (counter.Name == _names[meter])
            {
                found = counter;
                break;
            }
        }

        if (found is not { } count)
        {
            report.SetAbsent(new MeterProblem(Absence.NotPresent, $"{_path} has no {_names[meter]} any more"), now);
            return;
        }

        BudgetMark? before = _marks[meter];
        if (before is { Resumed: false } same && same.ReachedNanoseconds == budget.ReachedNanoseconds)
        {
            return; // told once: who ran since is held until the next word
        }

        _marks[meter] = new BudgetMark(count.Microjoules, count.Below, count.Above, budget.ReachedNanoseconds);
        if (before is not { } mark)
        {
            return;
        }

        if (count.Microjoules < mark.Microjoules)
        {
            report.Incident = MeterIncident.Reset;
            report.SetAbsent(new MeterProblem(Absence.Malformed, $"{_path}: {_names[meter]} went back (keck-guest counts anew): the energy since is unknown"), now);
            return;
        }

        report.SetEnergy(count.Microjoules - mark.Microjoules, budget.ReachedNanoseconds);
        report.Unattributable = mark.Resumed;
        if (!mark.Resumed)
        {
            // The widths grow with the sum; where they are smaller (the writer counts them anew), they are this much at least.
            report.Below = Math.Min(report.Microjoules, count.Below >= mark.Below ? count.Below - mark.Below : count.Below);
            report.Above = count.Above >= mark.Above ? count.Above - mark.Above : count.Above;
        }
    }

    private static HandedBudget? Take(PowerEnvironment environment, string path, string? lastText, HandedBudget? last, out MeterProblem? problem, out string? text)
    {
        FileText file = environment.Files.ReadText(path);
        text = file.Text;
        if (file.Fault is not FileFault.None)
        {
            problem = FileProblems.Of(file.Fault, path, "run keck-host as keck-guest's user (keck), or as root");
            return null;
        }

        HandedBudget? budget = last is not null && file.Text == lastText ? last : HandedBudget.Parse(file.Text);
        if (budget is null)
        {
            problem = new MeterProblem(Absence.Malformed, $"{path} is no budget that this version reads");
            return null;
        }

        // Nobody has written it in the future: it is of another boot.
        long age = environment.Clock.Nanoseconds - budget.WrittenNanoseconds;
        problem = age is >= 0 and <= StaleNanoseconds ? null
            : new MeterProblem(Absence.Stale, $"{path} has not been written for {StaleNanoseconds / 1_000_000_000} s", "see whether keck-guest runs and has its host's budget: keck-guest doctor");
        return problem is null ? budget : null;
    }

    // None where the name is of a newer version: what cannot be placed is not guessed.
    private static Meter? MeterOf(PowerEnvironment environment, string name)
    {
        Meter meter = new()
        {
            Id = name,
            Domain = EnergyDomain.Vcpu,
            Origin = EnergyOrigin.Budget,

            // Whatever the host measured it with: to us it is another agent's arithmetic.
            Quality = ReadingQuality.Derived,
            KnownStaticWatts = NoneStatic,
            Quantum = Step,
        };
        if (name.StartsWith("vcpu-", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) && name == $"vcpu-{cpu}")
        {
            int package = environment.Topology.Topology.Package(cpu);
            return meter with { Cpu = cpu, Package = Math.Max(0, package) };
        }

        return name switch
        {
            "overhead" => meter with { Domain = EnergyDomain.Overhead },
            "dram" => meter with { Domain = EnergyDomain.Dram },
            "static" or Meter.StaticMemoryId => meter with { Domain = EnergyDomain.Static },
            _ => null,
        };
    }
}
