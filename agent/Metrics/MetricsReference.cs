using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Keck.Agent;

/// <summary>Generates docs/metrics.md from the tables; a test compares, so that the page cannot rot.</summary>
internal static class MetricsReference
{
    internal static string Markdown()
    {
        var page = new StringBuilder();
        _ = page.Append("""
            # Metrics

            Generated from the tables in `agent/Metrics`; edit those, then run the tests of Keck.Agent with `KECK_UPDATE_GOLDEN=1`.

            `GET /metrics` answers in the Prometheus text format 0.0.4, or in OpenMetrics 1.0 where `Accept` prefers it. Joules are printed
            from whole microjoules, exactly. What is unknown is absent, never zero. Counters of energy go on over a restart (`--state`).

            **Conservation.** Per domain and package, to the microjoule and in every scrape:

            ```promql
            sum by (domain, package) ({__name__=~"keck_(processes|idle|system|unattributed|allocated|overhead)_joules_total"})
              == sum by (domain, package) (keck_domain_joules_total)
            ```

            (`allocated` is there under `--idle allocated` only, `overhead` in a guest only.)

            With every process shown (`--expose-processes top:N`, N large enough):

            ```promql
            sum by (domain, package) (keck_process_joules_total) + keck_departed_joules_total == keck_processes_joules_total
            ```

            A virtual machine's energy is that of its processes, told by component; `keck_machine_joules_total{component="cpu",share="active"}`
            is the sum of its `keck_machine_vcpu_joules_total`. Under `--idle proportional` the static energy is part of processes, system
            and unattributed; under `allocated` machines bear it by their size (`keck_allocated_joules_total` in all), which no process
            does; under `separate` it is all in `keck_idle_joules_total`. `keck_agent_info` names the policy. Domains overlap (psys ⊃ package ⊃ core): only selected meters,
            which never overlap, are shown as domains.

            """);
        Table(page, "Own names", OwnMetrics.Table);
        Table(page, "Own names: virtual machines", MachineMetrics.Table);
        _ = page.Append("""

            ## Dialect `kepler`
            With `--expose kepler`, asked for by `?expose=kepler`: the names of Kepler 0.11. Zones that no meter covers are absent, sockets of a
            zone are summed, energies are the ledger's (they add up). Process series need `--expose-processes top:N` here too. `exe`
            is not known and left out. There are no `kepler_*_gpu_*` names: no GPU is metered yet. A process of a virtual machine is of
            type `vm`; a machine that is known and does not run is `terminated`.

            """);
        Table(page, null, KeplerMetrics.Table);
        _ = page.Append("""

            ## Dialect `scaphandre`
            With `--expose scaphandre`, asked for by `?expose=scaphandre`: the names of Scaphandre 1.0. Energy is energy (not power added up);
            `exe` is the process's comm; `cmdline` is left out. `value_source` is Scaphandre's own word (`powercap_rapl_psys`,
            `powercap_rapl_pkg`) only for what powercap counted; else it is the meter's origin, such as `estimate`, `hwmon` or `budget`.

            """);
        Table(page, null, ScaphandreMetrics.Table);
        return page.ToString();
    }

    private static void Table(StringBuilder page, string? title, ImmutableArray<MetricDefinition> table)
    {
        if (title is not null)
        {
            _ = page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n");
        }

        _ = page.Append("| metric | type | labels | meaning |\n|---|---|---|---|\n");
        foreach (MetricDefinition metric in table)
        {
            string labels = metric.Labels.Length == 0 ? "" : $"`{metric.Labels.Replace(",", "`, `", StringComparison.Ordinal)}`";
            _ = page.Append(CultureInfo.InvariantCulture,
                $"| `{metric.SampleName}` | {(metric.Type == MetricType.Counter ? "counter" : "gauge")} | {labels} | {metric.Help} |\n");
        }
    }
}
