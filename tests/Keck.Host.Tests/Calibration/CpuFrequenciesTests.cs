using System.Globalization;
using Keck.Metering;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary>Two CPUs whose limits are 1.2 and 3.0 GHz (the second's: 2.0 and 2.6), of 0.8 to 3.6 GHz.</summary>
public sealed class CpuFrequenciesTests : IDisposable
{
    private readonly HostTree _tree = Fixtures.Host("vm-flat-zero").CopyToTemp();
    private readonly Topology _topology = new([new CpuPlace(0, 0, 0, 0), new CpuPlace(1, 1, 0, 0)], null);
    private readonly List<string> _said = [];

    public CpuFrequenciesTests()
    {
        Write(0, 1_200_000, 3_000_000);
        Write(1, 2_000_000, 2_600_000);
    }

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Set_PartOfTheRange_LimitsEachCpuWithinWhatWasSetAndPutsItBack()
    {
        using (CpuFrequencies frequencies = CpuFrequencies.Open(_tree.Sys, _topology, _said.Add))
        {
            Assert.Equal((1_200_000, 3_000_000, 2_000_000, 2_600_000), Limits());
            frequencies.Set(0.5);
            Assert.Equal((1_200_000, 1_900_000, 1_700_000, 1_700_000), Limits());
            frequencies.Set(1);
            Assert.Equal((3_000_000, 2_600_000), (Limits().High0, Limits().High1));
            frequencies.Set(0);
            Assert.Equal((800_000, 800_000, 800_000, 800_000), Limits());
            frequencies.Set(null);
            Assert.Equal((1_200_000, 3_000_000, 2_000_000, 2_600_000), Limits());
            frequencies.Set(0);
        }

        Assert.Equal((1_200_000, 3_000_000, 2_000_000, 2_600_000), Limits());
        Assert.Empty(_said);
    }

    [Fact]
    public void Set_OneCannotBeSet_FailsAndTheOthersArePutBack()
    {
        using (CpuFrequencies frequencies = CpuFrequencies.Open(_tree.Sys, _topology, _said.Add))
        {
            _tree.RemoveSys(Cpufreq(1, "scaling_max_freq"));
            CalibrationException refused = Assert.Throws<CalibrationException>(() => frequencies.Set(0.5));
            Assert.Contains("leave out --frequencies", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal((1_200_000, 3_000_000), (Read(0, "scaling_min_freq"), Read(0, "scaling_max_freq")));
        Assert.Equal(2_000_000, Read(1, "scaling_min_freq"));
        Assert.Contains("scaling_max_freq could not be put back to 2600000", Assert.Single(_said), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scaling_max_freq", null)]
    [InlineData("cpuinfo_min_freq", "<unknown>")]
    public void Open_NotThereOrNonsense_SaysSoAndChangesNothing(string file, string? text)
    {
        _tree.RemoveSys(Cpufreq(1, file));
        if (text is not null)
        {
            _tree.WriteSys(Cpufreq(1, file), text);
        }

        CalibrationException refused = Assert.Throws<CalibrationException>(() => CpuFrequencies.Open(_tree.Sys, _topology, _said.Add));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }

    private static string Cpufreq(int cpu, string file) => $"devices/system/cpu/cpu{cpu}/cpufreq/{file}";

    private (long Low0, long High0, long Low1, long High1) Limits() =>
        (Read(0, "scaling_min_freq"), Read(0, "scaling_max_freq"), Read(1, "scaling_min_freq"), Read(1, "scaling_max_freq"));

    // What is written is shorter or longer than what was there: a file of sysfs has the last value only, one of a disk is read to its first line's end.
    private long Read(int cpu, string file) =>
        long.Parse(File.ReadLines(Path.Combine(_tree.Sys, Cpufreq(cpu, file))).First(), CultureInfo.InvariantCulture);

    private void Write(int cpu, long low, long high)
    {
        _tree.WriteSys(Cpufreq(cpu, "cpuinfo_min_freq"), "800000");
        _tree.WriteSys(Cpufreq(cpu, "cpuinfo_max_freq"), "3600000");
        _tree.WriteSys(Cpufreq(cpu, "scaling_min_freq"), low.ToString(CultureInfo.InvariantCulture));
        _tree.WriteSys(Cpufreq(cpu, "scaling_max_freq"), high.ToString(CultureInfo.InvariantCulture));
    }
}
