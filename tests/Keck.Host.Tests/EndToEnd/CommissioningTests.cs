using System.Diagnostics;
using Keck.Metering;

namespace Keck.Host.Tests;

/// <summary>The native <c>keck-host calibrate</c> on this machine, whose CPUs work and whose meter is made up.</summary>
[Trait("Speed", "slow")]
[Trait("Needs", "bpf")]
public sealed class CommissioningTests
{
    // Alone on the machine or not: what others use is observed too, so the fit holds. What is idle is relative then.
    private static readonly string[] Short = ["--seconds-per-step", "0.6", "--force"];

    [Fact]
    public async Task Calibrate_WholeRun_FindsWhatTheMachineDraws()
    {
        await using CommissionedHost host = new();
        host.Start([.. Short, "--keep-trace", host.Trace]);
        await host.UntilAsync("load on every CPU", () => host.LoadThreads.Count() == Environment.ProcessorCount);
        int code = await host.EndAsync();
        Assert.True(code == 0, string.Join('\n', host.Lines));

        Assert.Null(ProfileFiles.Read(new FileInfo(host.Profile), out MachineProfile? profile));
        Assert.Equal((Environment.ProcessorCount, 1), (profile!.Cpus, profile.Packages));
        Assert.False(string.IsNullOrEmpty(profile.Cpu!.Vendor));
        (double idle, double off) = profile.Static["package-0"];
        double truth = CommissionedHost.StaticWatts + (CommissionedHost.CpuWatts * Environment.ProcessorCount);
        Assert.InRange(FullWatts(profile), truth * 0.8, truth * 1.2);
        Assert.InRange(CommissionedHost.StaticWatts, idle - (off * 1.25), (idle + off) * 1.25);
        if (Utilisation(host.Trace, seconds: 2) < 0.05)
        {
            // Nobody else was there: then static is static.
            Assert.InRange(idle, CommissionedHost.StaticWatts * 0.75, CommissionedHost.StaticWatts * 1.25);
        }

        int steps = CalibrationPlan.For(Environment.ProcessorCount, TimeSpan.FromSeconds(1), frequencies: false).Steps.Length;
        Assert.Equal(steps, host.Lines.Count(line => line.StartsWith("keck-host: step ", StringComparison.Ordinal)));
        Assert.Contains(host.Lines, line => line.Contains($"step 1 of {steps}: idle; ", StringComparison.Ordinal));
        Assert.Equal([Path.GetFileName(host.Profile), Path.GetFileName(host.Trace)], host.Written.Order(StringComparer.Ordinal));

        // The trace it kept gives the same profile, byte for byte.
        string again = host.Profile + ".again";
        (int refit, _, string[] errors) = HostBinary.Run("calibrate", "--trace", host.Trace, "--force", "--out", again);
        Assert.True(refit == 0, string.Join('\n', errors));
        Assert.Equal(File.ReadAllText(host.Profile), File.ReadAllText(again));

        // And it is this machine's.
        (_, string doctor, _) = HostBinary.Run("doctor", "--path.sysfs", host.Sys, "--calibration", host.Profile);
        Assert.Contains("ok  used", doctor, StringComparison.Ordinal);
    }

    // Static power, what anybody's being awake costs, and every CPU's time.
    private static double FullWatts(MachineProfile profile)
    {
        PowerModel model = profile.Model(PowerNeeds.Time)!;
        return profile.Static["package-0"].Watts + (((model.Coefficients[0] * Environment.ProcessorCount) + model.Coefficients[^1]) * 1e3);
    }

    private static double Utilisation(string trace, double seconds)
    {
        using FileStream file = File.OpenRead(trace);
        using TraceReader reader = new(file);
        double busy = 0, capacity = 0;
        while (reader.Read() && capacity < seconds * 1e9 * Environment.ProcessorCount)
        {
            capacity += (double)reader.Observation.Length.Nanoseconds * Environment.ProcessorCount;
            foreach (ref CpuSample cpu in reader.Observation.Cpus.Items)
            {
                busy += cpu.BusyNanoseconds;
            }
        }

        return busy / capacity;
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Calibrate_StoppedInTheMiddle_PutsTheFrequenciesBackAndWritesNothing(string signal)
    {
        await using CommissionedHost host = new();
        _ = Directory.CreateDirectory(Path.GetDirectoryName(host.Profile)!);
        await File.WriteAllTextAsync(host.Profile, "the one before", TestContext.Current.CancellationToken);
        host.Start("--seconds-per-step", "0.6", "--force", "--frequencies"); // The slower steps are the last: there must be time to stop in them.
        string[] before = [.. host.Limits];
        await host.UntilAsync("slower CPUs", () => !host.Limits.SequenceEqual(before));
        host.Signal(signal);
        Assert.Equal(1, await host.EndAsync());
        Assert.Equal(before, host.Limits);
        Assert.Contains("keck-host: stopped; no profile was written", host.Lines);
        Assert.Equal([Path.GetFileName(host.Profile)], host.Written);
        Assert.Equal("the one before", await File.ReadAllTextAsync(host.Profile, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Calibrate_Frequencies_ArePutBackAfterAWholeRun()
    {
        await using CommissionedHost host = new();
        host.Start("--seconds-per-step", "0.4", "--force", "--frequencies");
        string[] before = [.. host.Limits];
        HashSet<string> seen = [];
        await host.UntilAsync("both lower speeds", () =>
        {
            seen.UnionWith(host.Limits);
            return seen.Count >= 3;
        });
        int code = await host.EndAsync();
        Assert.True(code == 0, string.Join('\n', host.Lines));
        Assert.Equal(before, host.Limits);
        Assert.True(File.Exists(host.Profile));
    }

    [Fact]
    public async Task Calibrate_BusyMachine_RefusesAndNamesWhoIsBusy()
    {
        await using CommissionedHost host = new();
        using Process hog = Process.Start("/bin/sh", ["-c", "while :; do :; done"]);
        try
        {
            host.Start("--seconds-per-step", "0.2");
            Assert.Equal(1, await host.EndAsync());
        }
        finally
        {
            hog.Kill();
            await hog.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        string refusal = Assert.Single(host.Lines, line => line.Contains("the machine is busy", StringComparison.Ordinal));
        Assert.Contains($"({hog.Id})", refusal, StringComparison.Ordinal);
        Assert.Contains("load average", refusal, StringComparison.Ordinal);
        Assert.Contains("--force", refusal, StringComparison.Ordinal);
        Assert.Empty(host.Written);
    }

    [Fact]
    public async Task Calibrate_NoMeasuredMeter_RefusesAtOnceAndSaysWhatToDo()
    {
        await using CommissionedHost host = new(metered: false);
        host.Start();
        Assert.Equal(1, await host.EndAsync());
        Assert.Contains("keck-host doctor", Assert.Single(host.Lines), StringComparison.Ordinal);
        Assert.Empty(host.Written);
    }

    [Theory]
    [InlineData(2, "--seconds-per-step", "0")]
    [InlineData(2, "--seconds-per-step", "100")]
    [InlineData(2, "--trace", "run.ndjson", "--frequencies")]
    [InlineData(1, "--trace", "none.ndjson")]
    public void Calibrate_WrongCall_EndsWithAWord(int code, params string[] arguments)
    {
        (int ended, _, string[] errors) = HostBinary.Run(["calibrate", "--out", "never.json", .. arguments]);
        Assert.Equal(code, ended);
        Assert.Single(errors);
        Assert.False(File.Exists("never.json"));
    }
}
