using System.Globalization;

namespace Keck.Bpf;

/// <summary>Linux capabilities of this process (&lt;linux/capability.h&gt;), from <c>CapEff</c> of /proc/self/status.</summary>
/// <param name="Bits">One bit per capability.</param>
internal readonly record struct Capabilities(ulong Bits)
{
    private const int SysAdminBit = 21;
    private const int PerfmonBit = 38;
    private const int BpfBit = 39;

    /// <summary>CAP_BPF, or CAP_SYS_ADMIN which contains it.</summary>
    internal bool Bpf => Has(BpfBit) || Has(SysAdminBit);

    /// <summary>CAP_PERFMON, or CAP_SYS_ADMIN which contains it.</summary>
    internal bool Perfmon => Has(PerfmonBit) || Has(SysAdminBit);

    /// <summary>Both that tracing programs need.</summary>
    internal bool MayUseBpf => Bpf && Perfmon;

    /// <summary>The effective set; none where it cannot be read.</summary>
    internal static Capabilities Effective(string procRoot)
    {
        string file = Path.Combine(procRoot, "self/status");
        if (File.Exists(file))
        {
            foreach (string line in File.ReadLines(file))
            {
                if (line.StartsWith("CapEff:", StringComparison.Ordinal)
                    && ulong.TryParse(line.AsSpan("CapEff:".Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
                {
                    return new Capabilities(bits);
                }
            }
        }

        return default;
    }

    private bool Has(int bit) => (Bits & (1UL << bit)) != 0;
}
