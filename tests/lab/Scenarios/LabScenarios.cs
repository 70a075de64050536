namespace Keck.Lab;

/// <summary>What a simulated host is busy with.</summary>
public static class LabScenarios
{
    /// <summary>The names, for scoring.</summary>
    public static readonly string[] Names =
    [
        "mixed", "steady", "overcommitted", "smt-heavy", "memory-bound", "bursty", "migrating", "never-idle", "idle-first", "missing-counters", "no-counters", "no-frequency",
    ];

    /// <summary>The commissioning run: known loads on 1…all CPUs, to calibrate by.</summary>
    public const string Commissioning = "commissioning";

    /// <summary>The same with fewer kinds of load: what a profile is worth for work that it has never met.</summary>
    public const string CommissioningFew = "commissioning-few";

    /// <summary>In words.</summary>
    public static string Describe(string scenario) => scenario switch
    {
        "mixed" => "machines and processes of all kinds, steady, bursty and wavy; half the CPUs busy",
        "steady" => "everybody runs the same part of the time throughout",
        "overcommitted" => "more vCPUs that want to run than CPUs",
        "smt-heavy" => "nearly all hyperthreads busy, neighbours on a core belong to different machines",
        "memory-bound" => "most run streaming or pointer-chasing code",
        "bursty" => "everybody is on and off, from tenths of a second to seconds",
        "migrating" => "threads hop between CPUs and sockets; machines arrive and leave",
        "never-idle" => "saturated from the first tick to the last",
        "idle-first" => "two idle seconds, then mixed",
        "missing-counters" => "mixed; a third of the consumers without instructions or misses",
        "no-counters" => "mixed; no hardware counters at all, frequencies known",
        "no-frequency" => "mixed; neither counters nor frequencies",
        Commissioning => "idle, then seven kinds of load on 1…all CPUs, at several clocks where they can be set",
        CommissioningFew => "the same without ciphers and requests, as if nobody had thought of them",
        _ => throw new ArgumentException($"there is no scenario '{scenario}'; known are {string.Join(", ", Names)}, {Commissioning}, {CommissioningFew}", nameof(scenario)),
    };

    /// <summary>Who runs on this machine.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="scenario">One of <see cref="Names"/>, <see cref="Commissioning"/> or <see cref="CommissioningFew"/>.</param>
    /// <param name="run">Another number draws other workloads on the same machine.</param>
    /// <param name="seconds">Length of the run.</param>
    /// <param name="idleSeconds">How long the host is idle first; null for what the scenario says.</param>
    public static LabLoad Create(LabMachine machine, string scenario, int run, double seconds, double? idleSeconds = null)
    {
        _ = Describe(scenario);
        return scenario is Commissioning or CommissioningFew
            ? CommissioningLoad.Create(machine, seconds, few: scenario == CommissioningFew)
            : new LoadBuilder(machine, scenario, run, seconds).Build() with { IdleSeconds = idleSeconds ?? (scenario == "idle-first" ? 2 : 0) };
    }
}
