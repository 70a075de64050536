using System.Collections.Immutable;
using System.Globalization;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary>The table of everything that can be set; the file, the environment and the flags are read by it.</summary>
internal static class Settings
{
    /// <summary>Dialects that can be exposed.</summary>
    internal static readonly ImmutableArray<string> Dialects = ["kepler", "scaphandre"];

    /// <summary>Every setting, in the order of the help.</summary>
    internal static readonly ImmutableArray<Setting> All =
    [
        new("listen", "IP:PORT", "address to serve on, or none (default 127.0.0.1:9470); beyond loopback a certificate or a token is needed",
            static (ref HostOptions o, string t) => { o = o with { Listen = t == "none" ? null : t }; return null; }),
        new("socket", "PATH", "unix socket to serve on, or none (default /run/keck/host.sock)",
            static (ref HostOptions o, string t) => { o = o with { Socket = t == "none" ? null : t }; return null; }),
        new("state", "DIR", "where run keeps its counters over restarts, or none (default /var/lib/keck/host)",
            static (ref HostOptions o, string t) => { o = o with { State = t == "none" ? null : t }; return null; }),
        new("channel", "on|none", "whether guest agents are let in (AF_VSOCK port 19269 and the machines' own sockets) and told their energy (default on)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["none", "on"], static (o, i) => o with { Channels = i == 1 })),
        new("channelInterval", "SECONDS", "how often guests are told their energy, from 1 to 3600 s (default 1)",
            static (ref HostOptions o, string t) =>
            {
                if (!int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) || seconds is < 1 or > 3600)
                {
                    return $"'{t}' is no whole number from 1 to 3600";
                }

                o = o with { ChannelInterval = TimeSpan.FromSeconds(seconds) };
                return null;
            }),
        new("libvirt", "URI", "the libvirt that names machines and tells of their lives, auto or none (default auto: qemu:///system where its library is, but not in the minimal profile)",
            static (ref HostOptions o, string t) => { o = o with { Libvirt = t == "none" ? null : t }; return null; }),
        new("tlsCertificate", "FILE", "PEM certificate for addresses beyond loopback",
            static (ref HostOptions o, string t) => { o = o with { TlsCertificate = t }; return null; }),
        new("tlsKey", "FILE", "PEM key of the certificate",
            static (ref HostOptions o, string t) => { o = o with { TlsKey = t }; return null; }),
        new("tokenFile", "FILE", "file with the bearer token that requests must bring",
            static (ref HostOptions o, string t) => { o = o with { TokenFile = t }; return null; }),
        new("profile", "PROFILE", "cost and detail: minimal, standard or full (default standard)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["minimal", "standard", "full"], static (o, i) => o with { Profile = (ProfileKind)i })),
        new("idle", "POLICY", "who pays static energy: separate, proportional or allocated (default separate)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["separate", "proportional", "allocated"], static (o, i) => o with { Idle = (IdlePolicy)i })),
        new("model", "MODEL", "the most detailed model: auto, time, frequency or full (default auto: the profile's)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["auto", "time", "frequency", "full"], static (o, i) => o with { Model = i == 0 ? null : (ModelKind)(i - 1) })),
        new("expose", "DIALECT,…", "metric dialects to serve beside our own: kepler, scaphandre (default none)",
            static (ref HostOptions o, string t) =>
            {
                ImmutableArray<string> wanted = List(t);
                o = o with { Expose = wanted };
                return wanted.FirstOrDefault(dialect => !Dialects.Contains(dialect)) is { } unknown ? $"'{unknown}' is none of kepler, scaphandre" : null;
            }),
        new("exposeProcesses", "top:N", "how many processes get metric series, the busiest first (default top:0, at most top:10000)",
            static (ref HostOptions o, string t) =>
            {
                if (!t.StartsWith("top:", StringComparison.Ordinal) || !int.TryParse(t.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > 10_000)
                {
                    return $"'{t}' is not top:N with N from 0 to 10000";
                }

                o = o with { ExposeProcesses = count };
                return null;
            }),
        new("runs", "SOURCE", "where CPU time comes from: auto, ebpf or schedstat (default auto: eBPF where it can be had)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["auto", "ebpf", "schedstat"], static (o, i) => o with { Runs = (RunSourceChoice)i })),
        new("estimate", "true|false", "whether a machine without any sensor is estimated (default true)",
            static (ref HostOptions o, string t) => Choice(ref o, t, ["false", "true"], static (o, i) => o with { Estimate = i == 1 })),
        new("path.procfs", "DIR", "root of procfs (default /proc)",
            static (ref HostOptions o, string t) => { o = o with { ProcRoot = t }; return Folder(t); }),
        new("path.sysfs", "DIR", "root of sysfs (default /sys)",
            static (ref HostOptions o, string t) => { o = o with { SysRoot = t }; return Folder(t); }),
        new("path.rootfs", "DIR", "root under which container runtimes keep their state (default /)",
            static (ref HostOptions o, string t) => { o = o with { RootFs = t }; return Folder(t); }),
    ];

    private static ImmutableArray<string> List(string text) =>
        text == "none" ? [] : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static string? Folder(string path) => Directory.Exists(path) ? null : $"'{path}' is not a directory";

    private static string? Choice(ref HostOptions options, string text, ReadOnlySpan<string> allowed, Func<HostOptions, int, HostOptions> with)
    {
        int index = allowed.IndexOf(text);
        if (index < 0)
        {
            return $"'{text}' is none of {string.Join(", ", allowed.ToArray())}";
        }

        options = with(options, index);
        return null;
    }
}
