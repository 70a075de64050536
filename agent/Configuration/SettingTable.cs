using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The table of everything that can be set about a program; the file, the environment and the flags are read by it.</summary>
/// <param name="Program">Its name, before what it says on stderr.</param>
/// <param name="DefaultFile">Its configuration file, unless <c>--config</c> says otherwise; it may be missing there.</param>
/// <param name="Defaults">What holds where nothing is set.</param>
/// <param name="All">Every setting, in the order of the help.</param>
internal sealed record SettingTable(string Program, string DefaultFile, AgentOptions Defaults, ImmutableArray<Setting> All)
{
    /// <summary>What is wrong with settings that are each right by themselves, in words; null for nothing.</summary>
    internal Func<AgentOptions, string?> Check { get; init; } = static _ => null;

    /// <summary>Models that need nothing but observations.</summary>
    internal static readonly ImmutableArray<string> Models = ["time", "frequency", "full"];

    /// <summary>Dialects that can be exposed.</summary>
    internal static readonly ImmutableArray<string> Dialects = ["kepler", "scaphandre"];

    /// <summary>The settings of serving and keeping, whose defaults differ by program.</summary>
    internal static ImmutableArray<Setting> Serving(AgentOptions defaults, ImmutableArray<string> models) =>
    [
        new("listen", "IP:PORT", $"address to serve on, or none (default {defaults.Listen}); beyond loopback a certificate or a token is needed",
            static (ref AgentOptions o, string t) =>
            {
                o = o with { Listen = t == "none" ? null : t };
                return o.Listen is null || new ApiListenOptions { Address = t }.EndPoint is not null
                    ? null
                    : $"'{t}' must be an IP address and a port, such as 127.0.0.1:9470 or [::1]:9470, or none";
            }),
        new("socket", "PATH", $"unix socket to serve on, or none (default {defaults.Socket})",
            static (ref AgentOptions o, string t) => { o = o with { Socket = t == "none" ? null : t }; return null; }),
        new("state", "DIR", $"where run keeps its counters over restarts, or none (default {defaults.State})",
            static (ref AgentOptions o, string t) => { o = o with { State = t == "none" ? null : t }; return null; }),
        new("tlsCertificate", "FILE", "PEM certificate for addresses beyond loopback",
            static (ref AgentOptions o, string t) => { o = o with { TlsCertificate = t }; return null; }),
        new("tlsKey", "FILE", "PEM key of the certificate",
            static (ref AgentOptions o, string t) => { o = o with { TlsKey = t }; return null; }),
        new("tokenFile", "FILE", "file with the bearer token that requests over TCP must bring (or bring, where a command asks)",
            static (ref AgentOptions o, string t) => { o = o with { TokenFile = t }; return null; }),
        new("profile", "PROFILE", $"cost and detail: minimal, standard or full (default {defaults.Profile.Name()})",
            static (ref AgentOptions o, string t) => Choice(ref o, t, ["minimal", "standard", "full"], static (o, i) => o with { Profile = (ProfileKind)i })),
        new("idle", "POLICY", "who pays static energy: separate, proportional or allocated (default separate)",
            static (ref AgentOptions o, string t) => Choice(ref o, t, ["separate", "proportional", "allocated"], static (o, i) => o with { Idle = (IdlePolicy)i })),
        new("model", "MODEL", $"the most detailed model: auto, {string.Join(", ", models)} (default auto: the profile's{(models.Contains("calibrated") ? ", or calibrated where there is a machine profile" : "")})",
            (ref AgentOptions o, string t) => Choice(ref o, t, ["auto", .. models], (o, i) => o with { Model = i == 0 ? null : AttributionNames.ParseModel(models[i - 1]) })),
        new("expose", "DIALECT,…", "metric dialects to serve beside our own: kepler, scaphandre (default none)",
            static (ref AgentOptions o, string t) =>
            {
                ImmutableArray<string> wanted = List(t);
                o = o with { Expose = wanted };
                return wanted.FirstOrDefault(dialect => !Dialects.Contains(dialect)) is { } unknown ? $"'{unknown}' is none of kepler, scaphandre" : null;
            }),
        new("exposeProcesses", "top:N", "how many processes get metric series, the busiest first (default top:0, at most top:10000)",
            static (ref AgentOptions o, string t) =>
            {
                if (!t.StartsWith("top:", StringComparison.Ordinal) || !int.TryParse(t.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > 10_000)
                {
                    return $"'{t}' is not top:N with N from 0 to 10000";
                }

                o = o with { ExposeProcesses = count };
                return null;
            }),
    ];

    /// <summary>The settings of what is looked at.</summary>
    internal static ImmutableArray<Setting> Sources { get; } =
    [
        new("runs", "SOURCE", "where CPU time comes from: auto, ebpf or schedstat (default auto: eBPF where it can be had)",
            static (ref AgentOptions o, string t) => Choice(ref o, t, ["auto", "ebpf", "schedstat"], static (o, i) => o with { Runs = (RunSourceChoice)i })),
        new("estimate", "true|false", "whether a machine without any sensor is estimated (default true)",
            static (ref AgentOptions o, string t) => Choice(ref o, t, ["false", "true"], static (o, i) => o with { Estimate = i == 1 })),
        new("path.procfs", "DIR", "root of procfs (default /proc)",
            static (ref AgentOptions o, string t) => Folder(ref o, t, static (o, path) => o with { ProcRoot = path })),
        new("path.sysfs", "DIR", "root of sysfs (default /sys)",
            static (ref AgentOptions o, string t) => Folder(ref o, t, static (o, path) => o with { SysRoot = path })),
        new("path.rootfs", "DIR", "root under which container runtimes keep their state (default /)",
            static (ref AgentOptions o, string t) => Folder(ref o, t, static (o, path) => o with { RootFs = path })),
    ];

    /// <summary>Puts the chosen one of some words into the options, or says which there are.</summary>
    internal static string? Choice(ref AgentOptions options, string text, ReadOnlySpan<string> allowed, Func<AgentOptions, int, AgentOptions> with)
    {
        int index = allowed.IndexOf(text);
        if (index < 0)
        {
            return $"'{text}' is none of {string.Join(", ", allowed.ToArray())}";
        }

        options = with(options, index);
        return null;
    }

    private static ImmutableArray<string> List(string text) =>
        text == "none" ? [] : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    // Whole, so that it means the same to everything that reads below it: some of that compares it with /proc, some refuses what is relative.
    private static string? Folder(ref AgentOptions options, string path, Func<AgentOptions, string, AgentOptions> with)
    {
        if (!Directory.Exists(path))
        {
            return $"'{path}' is not a directory";
        }

        options = with(options, Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return null;
    }
}
