using System.CommandLine;

namespace Keck.Guest;

/// <summary>What stands below the help of <c>keck-guest</c>'s commands.</summary>
internal static class GuestHelp
{
    /// <summary>The text of a command; null for nothing.</summary>
    internal static string? Of(Command command) => command is RootCommand
        ? """
        Examples:
          sudo keck-guest run                                    take this machine's budget from its host, and split it
          sudo keck-guest top                                    who uses it now
          sudo keck-guest doctor                                 whether there can be a host, and what mends what is missing
          keck-guest run --help                                  every setting
        """
        : command.Name switch
        {
            "run" => """
                Examples:
                  keck-guest run                                         the host by what channel there is; serve on 127.0.0.1:9471 and /run/keck/guest.sock
                  keck-guest run --channel virtio-serial:/dev/virtio-ports/org.keck.energy.0
                  keck-guest run --channel none                          without a host: an estimate, labelled as such
                  node_exporter --path.sysfs /run/keck/sys               a tool that reads RAPL, unmodified

                Every setting may also stand in the file and in the environment; a flag beats the environment, which beats the file:
                  /etc/keck/guest.json     { "profile": "standard", "channel": "vsock:2:19269" }
                  environment              KECK_PROFILE=standard KECK_CHANNEL=none
                """,
            "tree" => """
                Examples:
                  keck-guest tree                                        vCPU → processes; every level adds up
                  keck-guest tree --depth 6 --url http://127.0.0.1:9471
                """,
            "top" => """
                Keys:
                  p power   e energy   t CPU time   m memory   i pid   n name   r turn round
                  1 processes   2 containers   3 pods   4 machines
                  / filter by name (Enter keeps it, Esc shows all)   + - delay   ? keys   q quit

                Examples:
                  keck-guest top                                         live
                  keck-guest top --once --top 5                          one table, for a script
                """,
            _ => null,
        };
}
