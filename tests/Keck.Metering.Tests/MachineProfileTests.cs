using System.Collections.Immutable;
using System.Text;

namespace Keck.Metering.Tests;

public sealed class MachineProfileTests
{
    private static readonly MachineProfile Profile = new()
    {
        Host = "kvm-07",
        Cpu = new TraceCpu("GenuineIntel", 6, 106, 6, "0xd0003b9", "Xeon"),
        Cpus = 64,
        Packages = 2,
        MemoryKibibytes = 256 << 20,
        Static = ImmutableSortedDictionary<string, StaticPower>.Empty.Add("package-0", new StaticPower(41.5, 0.25)),
        Models = [new PowerModel(PowerNeeds.Counters, [1e-4, 0, 2e-5, 0, 3e-4, 0, 0.01, 0.02], 0.08)],
        Mixes = [new InstructionMix(2.25, 0.125, 0.75, 1), new InstructionMix(0.25, 18, 1.5, 2.5)],
        Alpha = 0.4,
        Beta = 3,
    };

    [Fact]
    public void Read_Written_IsTheSame()
    {
        MachineProfile read = MachineProfileFile.Read(MachineProfileFile.Write(Profile));
        Assert.Equal((Profile.Host, Profile.Cpu, Profile.Cpus, Profile.Packages, Profile.MemoryKibibytes, Profile.Alpha, Profile.Beta), (read.Host, read.Cpu, read.Cpus, read.Packages, read.MemoryKibibytes, read.Alpha, read.Beta));
        Assert.Equal(Profile.Static, read.Static);
        Assert.Equal(Profile.Models[0].Coefficients, read.Models[0].Coefficients);
        Assert.Equal(Profile.Models[0].Residual, read.Models[0].Residual);
        Assert.Equal(Profile.Mixes, read.Mixes);
        Assert.Equal(64, read.Hash.Length);
    }

    [Fact]
    public void Read_AnyDigitChanged_IsRefused()
    {
        string text = Encoding.UTF8.GetString(MachineProfileFile.Write(Profile));
        int refused = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                string changed = text[..i] + (char)(text[i] == '9' ? '1' : text[i] + 1) + text[(i + 1)..];
                _ = Assert.Throws<TraceFormatException>(() => MachineProfileFile.Read(Encoding.UTF8.GetBytes(changed)));
                refused++;
            }
        }

        Assert.True(refused > 50);
    }

    [Fact]
    public void Read_CutAnywhere_IsRefused()
    {
        byte[] text = MachineProfileFile.Write(Profile);
        for (int length = 0; length < text.Length - 2; length++)
        {
            _ = Assert.Throws<TraceFormatException>(() => MachineProfileFile.Read(text.AsMemory(0, length)));
        }
    }

    [Fact]
    public void Stale_TheSameMachine_IsNot()
    {
        Assert.Null(Profile.Stale(Profile.Cpu, Machine()));
        Assert.Null(Profile.Stale(Profile.Cpu, Machine(memory: (256 << 20) - 4096)));
        Assert.Null(Profile.Stale(null, Machine(memory: null)));
    }

    [Theory]
    [InlineData("AuthenticAMD", "Xeon", "0xd0003b9", 64, 2, 256, "made on Xeon (family 6")]
    [InlineData("GenuineIntel", "Xeon of another bin", "0xd0003b9", 64, 2, 256, "this is Xeon of another bin")]
    [InlineData("GenuineIntel", "Xeon", "0xd0003ba", 64, 2, 256, "microcode 0xd0003b9, this machine has 0xd0003ba")]
    [InlineData("GenuineIntel", "Xeon", "", 64, 2, 256, "this machine has unknown")]
    [InlineData("GenuineIntel", "Xeon", "0xd0003b9", 32, 2, 256, "64 CPUs, this machine has 32")]
    [InlineData("GenuineIntel", "Xeon", "0xd0003b9", 64, 1, 256, "2 packages, this machine has 1")]
    [InlineData("GenuineIntel", "Xeon", "0xd0003b9", 64, 2, 128, "256.0 GiB of memory, this machine has 128.0 GiB")]
    public void Stale_OtherMachine_SaysWhatChanged(string vendor, string name, string microcode, int cpus, int packages, int gibibytes, string said) =>
        Assert.Contains(
            said, Profile.Stale(new TraceCpu(vendor, 6, 106, 6, microcode, name), Machine(cpus, packages, (long)gibibytes << 20)), StringComparison.Ordinal);

    [Fact]
    public void Stale_SeveralChanges_NamesAllOfThem()
    {
        string stale = Profile.Stale(Profile.Cpu! with { Microcode = "0x1" }, Machine(32, 1))!;
        Assert.All(["microcode", "CPUs", "packages"], change => Assert.Contains(change, stale, StringComparison.Ordinal));
    }

    [Fact]
    public void Floors_LearnedElsewhere_AreReplacedWhereTheRunFoundBetter()
    {
        StaticFloorState learned = new(7, false, 1, 1, 1, 1);
        MachineProfile profile = Profile with { Static = Profile.Static.Add("package-1", new StaticPower(10, 9)) };
        ImmutableSortedDictionary<string, StaticFloorState> floors = profile.Floors([new("package-0", learned), new("package-1", learned), new("psu-0", learned)]);
        Assert.Equal(41.5, floors["package-0"].Watts);
        Assert.True(floors["package-0"].SeenIdle);
        Assert.Equal(learned, floors["package-1"]);
        Assert.Equal(learned, floors["psu-0"]);
    }

    private static Topology Machine(int cpus = 64, int packages = 2, long? memory = 256 << 20) =>
        new(Enumerable.Range(0, cpus).Select(cpu => new CpuPlace(cpu, cpu, cpu * packages / cpus, 0)), null) { MemoryKibibytes = memory };
}
