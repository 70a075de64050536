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
        MemoryKibibytes = 256 << 20,
        Static = ImmutableSortedDictionary<string, StaticPower>.Empty.Add("package-0", new StaticPower(41.5, 0.25)),
        Models = [new PowerModel(PowerNeeds.Counters, [1e-4, 0, 2e-5, 0, 3e-4, 0, 0.01, 0.02], 0.08)],
        Alpha = 0.4,
        Beta = 3,
    };

    [Fact]
    public void Read_Written_IsTheSame()
    {
        MachineProfile read = MachineProfileFile.Read(MachineProfileFile.Write(Profile));
        Assert.Equal((Profile.Host, Profile.Cpu, Profile.Cpus, Profile.MemoryKibibytes, Profile.Alpha, Profile.Beta), (read.Host, read.Cpu, read.Cpus, read.MemoryKibibytes, read.Alpha, read.Beta));
        Assert.Equal(Profile.Static, read.Static);
        Assert.Equal(Profile.Models[0].Coefficients, read.Models[0].Coefficients);
        Assert.Equal(Profile.Models[0].Residual, read.Models[0].Residual);
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
    public void Stale_OtherMachine_SaysWhatChanged()
    {
        Assert.Null(Profile.Stale(Profile.Cpu, 64, Profile.MemoryKibibytes));
        Assert.Null(Profile.Stale(Profile.Cpu, 64, Profile.MemoryKibibytes - 4096));
        Assert.Contains("Ryzen", Profile.Stale(new TraceCpu("AuthenticAMD", 25, 1, 1, null, "Ryzen"), 64, null), StringComparison.Ordinal);
        Assert.Contains("microcode", Profile.Stale(Profile.Cpu! with { Microcode = "0x1" }, 64, null), StringComparison.Ordinal);
        Assert.Contains("CPUs", Profile.Stale(Profile.Cpu, 32, null), StringComparison.Ordinal);
        Assert.Contains("memory", Profile.Stale(Profile.Cpu, 64, 128 << 20), StringComparison.Ordinal);
    }
}
