namespace Keck.Power.Tests;

public sealed class MemoryTests
{
    [Theory]
    [InlineData("MemTotal:       24656048 kB\nMemFree: 1 kB", 24_656_048L)]
    [InlineData("MemFree: 1 kB\nMemTotal: 7 kB", 7L)]
    [InlineData("MemTotal: 0 kB", null)]
    [InlineData("MemTotal: -5 kB", null)]
    [InlineData("MemTotal:", null)]
    [InlineData("", null)]
    public void Topology_Meminfo_MemoryIsReadOrUnknown(string meminfo, long? expected)
    {
        string root = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(root, "meminfo"), meminfo);
            TopologyReader reader = new(new SystemFiles(), new PowerOptions { ProcRoot = root, SysRoot = root });
            Assert.Equal(expected, reader.Read(reader.ReadIdentity()).Topology.MemoryKibibytes);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
