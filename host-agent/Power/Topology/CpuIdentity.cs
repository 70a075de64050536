using System.Globalization;

namespace Keck.Power;

/// <summary>What the CPUs say they are, from /proc/cpuinfo: the <c>cpu</c> member of a trace's header.</summary>
public sealed record CpuIdentity
{
    /// <summary><c>vendor_id</c>, such as <c>GenuineIntel</c>; empty where the kernel does not tell (ARM).</summary>
    public string Vendor { get; init; } = "";

    /// <summary><c>cpu family</c>; null where unknown.</summary>
    public int? Family { get; init; }

    /// <summary><c>model</c>; null where unknown.</summary>
    public int? Model { get; init; }

    /// <summary><c>stepping</c>; null where unknown.</summary>
    public int? Stepping { get; init; }

    /// <summary><c>microcode</c>, such as <c>0xd0003b9</c>; empty where unknown.</summary>
    public string Microcode { get; init; } = "";

    /// <summary><c>model name</c>; empty where unknown.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether the CPU says that a hypervisor runs it (flag <c>hypervisor</c>).</summary>
    public bool Hypervisor { get; init; }

    /// <summary><c>cpu MHz</c> of the first CPU at the time of reading, kHz; null where unknown.</summary>
    internal long? CurrentKiloHertz { get; init; }

    /// <summary>Parses the first CPU's block; what is missing or garbage stays unknown.</summary>
    internal static CpuIdentity Parse(string cpuinfo)
    {
        CpuIdentity identity = new();
        foreach (string line in cpuinfo.Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                if (identity.Name.Length > 0 || identity.Vendor.Length > 0)
                {
                    break; // the empty line after the first CPU
                }

                continue;
            }

            string value = line[(colon + 1)..].Trim();
            identity = line[..colon].Trim() switch
            {
                "vendor_id" => identity with { Vendor = value },
                "cpu family" => identity with { Family = Number(value) },
                "model" => identity with { Model = Number(value) },
                "stepping" => identity with { Stepping = Number(value) },
                "microcode" => identity with { Microcode = value },
                "model name" => identity with { Name = value },
                "flags" => identity with { Hypervisor = value.Split(' ').Contains("hypervisor") },
                "cpu MHz" => identity with { CurrentKiloHertz = KiloHertz(value, 1_000) },
                _ => identity,
            };
        }

        return identity;
    }

    /// <summary>The nominal frequency in a name such as <c>… @ 2.40GHz</c>, kHz; null where the name has none.</summary>
    internal long? NominalKiloHertz
    {
        get
        {
            int at = Name.IndexOf('@', StringComparison.Ordinal);
            string text = at < 0 ? "" : Name[(at + 1)..].Trim();
            return text.EndsWith("GHz", StringComparison.OrdinalIgnoreCase) ? KiloHertz(text[..^3], 1_000_000)
                : text.EndsWith("MHz", StringComparison.OrdinalIgnoreCase) ? KiloHertz(text[..^3], 1_000)
                : null;
        }
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static long? KiloHertz(string text, decimal kiloHertz) =>
        decimal.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number) && number is > 0 and < 1_000_000
            ? (long)(number * kiloHertz)
            : null;
}
