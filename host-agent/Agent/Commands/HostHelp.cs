using System.CommandLine;

namespace Keck.Host;

/// <summary>What stands below the help of <c>keck-host</c>'s commands: examples, keys, where settings come from.</summary>
internal static class HostHelp
{
    private const string Asked = """
        Without --url the agent that serves on --socket or --listen is asked; where none runs, the command meters by itself
        for as long as it runs, by the other settings here (root sees every process).
        """;

    private const string Root = """
        Examples:
          sudo keck-host run                                     meter this machine and serve the figures
          sudo keck-host top                                     who uses the energy now
          sudo keck-host tree                                    where the energy went; every level adds up
          sudo keck-host doctor                                  what is missing, and what mends it
          keck-host run --help                                   every setting
        """;

    /// <summary>What stands below a command's help; null for nothing.</summary>
    internal static string? Of(Command command) => command is RootCommand ? Root : command.Name switch
    {
        "run" => """
            Examples:
              keck-host run                                          serve on 127.0.0.1:9470 and /run/keck/host.sock
              keck-host run --profile minimal --socket none          in some 20 MB
              keck-host run --listen 0.0.0.0:9470 --token-file /etc/keck/token --tls-certificate c.pem --tls-key k.pem
              keck-host run --expose kepler --expose-processes top:50
              curl 127.0.0.1:9470/metrics                            what Prometheus reads

            Every setting may also stand in the file and in the environment; a flag beats the environment, which beats the file:
              /etc/keck/host.json      { "profile": "minimal", "path": { "procfs": "/host/proc" } }
              environment              KECK_PROFILE=minimal KECK_PATH__PROCFS=/host/proc
            """,
        "top" => $"""
            Keys:
              p power   e energy   t CPU time   m memory   i pid   n name   r turn round
              1 processes   2 containers   3 pods   4 machines
              / filter by name (Enter keeps it, Esc shows all)   + - delay   ? keys   q quit

            Examples:
              keck-host top                                          live
              keck-host top --kind pods --sort energy
              keck-host top --filter postgres --sort memory
              keck-host top --once --top 5                           one table, for a script
              keck-host top --once --iterations 0 --delay 10         one every 10 s until it is stopped

            {Asked}
            """,
        "tree" => $"""
            Examples:
              keck-host tree                                         socket → processes, 4 levels deep
              keck-host tree --depth 6 --idle proportional
              keck-host tree --url http://127.0.0.1:9470

            {Asked}
            """,
        "calibrate" => """
            Examples:
              sudo keck-host calibrate --out /etc/keck/profile.json  some 2.5 minutes: idle, then load on one to all CPUs
              sudo keck-host calibrate --frequencies --keep-trace run.ndjson.gz --out /etc/keck/profile.json
              keck-host run --calibration /etc/keck/profile.json     or "calibration" in /etc/keck/host.json
              keck-host calibrate --trace run.ndjson.gz --out profile.json

            Only an idle machine can be calibrated. Ctrl-C and SIGTERM stop it at any time: the load ends, frequencies are put
            back, and an earlier profile stays. Do it again when CPU, microcode, memory or packages have changed; run says so.
            """,
        "learned" => """
            Examples:
              sudo keck-host learned                                 static power by meter, and how each figure came about
              sudo keck-host learned --undo 12                       take adoption 12 back, and what followed from it on its meter
              sudo keck-host learned --forget package-0              begin anew with that meter

            What is in --state is read, as the agent saved it last; the agent may run. To change it stop the agent first
            (systemctl stop keck-host): it goes on from the changed state when it is started again.
            """,
        "doctor" => """
            Examples:
              keck-host doctor                                       what this machine offers, and what would mend what is missing
              keck-host doctor --path.procfs /host/proc --path.sysfs /host/sys
            """,
        "meters" => $"""
            Examples:
              keck-host meters                                       every meter found, and which is used for what
              keck-host meters --json

            {Asked}
            """,
        "record" => """
            Examples:
              keck-host record --out trace.ndjson.gz                 a minute
              keck-host record --seconds 600 --out t.ndjson --figures live.ndjson

            A running agent is not disturbed: this command meters beside it. A trace holds names of processes and paths of cgroups.
            """,
        "replay" => """
            Examples:
              keck-host replay trace.ndjson.gz --out figures.ndjson
              keck-host replay trace.ndjson.gz --model time --idle proportional --out other.ndjson
            """,
        "score" => """
            Examples:
              keck-host replay trace.ndjson --out figures.ndjson
              keck-host score figures.ndjson truth.ndjson --trace trace.ndjson
              keck-host score figures.ndjson truth.ndjson --json

            A truth is known of simulated machines only (keck-lab, in the sources). Bounds add up linearly within a second.
            """,
        _ => null,
    };
}
