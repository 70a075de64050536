namespace Keck.Metering;

/// <summary>The names of roles and frequency origins in traces.</summary>
internal static class TraceNames
{
    private static readonly string[] Roles = ["none", "vcpu", "emulator", "iothread", "vhost", "helper"];

    private static readonly string[] Origins = ["none", "aperf", "cycles", "tracepoint", "cpufreq", "msr", "base"];

    internal static string Name(ThreadRole role) => Roles[(int)role];

    internal static string Name(FrequencyOrigin origin) => Origins[(int)origin];

    internal static ThreadRole? ParseRole(string name) => Array.IndexOf(Roles, name) is var index and >= 0 ? (ThreadRole)index : null;

    internal static FrequencyOrigin? ParseOrigin(string name) => Array.IndexOf(Origins, name) is var index and >= 0 ? (FrequencyOrigin)index : null;

    /// <summary>Whether a name alone says kernel thread, as ps shows them: in brackets.</summary>
    internal static bool IsBracketed(string name) => name.Length > 2 && name[0] == '[' && name[^1] == ']';
}
