using Keck.Bpf.Frequency;
using Keck.Metering;

namespace Keck.Bpf.Tests;

/// <summary>What is read from procfs, sysfs and cgroupfs, on made-up trees.</summary>
public sealed class SourceFilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keck-files-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("0-3,8\n", "1111000010")]
    [InlineData("1", "0100000000")]
    [InlineData("0,2-2,9\n", "1010000001")]
    [InlineData("garbage", "0000000000")]
    [InlineData("5-", "0000000000")]
    [InlineData("7-99999999999\n", "0000000111")]
    public void Mark_List_MarksItsCpus(string list, string expected)
    {
        bool[] cpus = new bool[10];
        CpuList.Mark(System.Text.Encoding.ASCII.GetBytes(list), cpus);
        Assert.Equal(expected, string.Concat(cpus.Select(online => online ? '1' : '0')));
    }

    [Fact]
    public void Parse_StealAndSwitches_AreDifferences()
    {
        using var stat = new ProcStat(_root, 2);
        stat.Parse("cpu  1 1 1 1 1 1 1 9 0 0\ncpu0 1 1 1 1 1 1 1 5 0 0\ncpu1 1 1\nctxt 100\n"u8);
        stat.Parse("cpu0 1 1 1 1 1 1 1 7 0 0\nctxt 130\ncpu77 0 0 0 0 0 0 0 3 0 0\n"u8);
        stat.Parse("cpu0 1 1 1 1 1 1 1 6 0 0\n"u8);
        Assert.Equal(20_000_000, stat.Steal[0]);
        Assert.Equal(0, stat.Steal[1]);
        Assert.Equal(30, stat.ContextSwitches);
    }

    [Fact]
    public void Apply_Cpufreq_MultipliesTheRunsOfEachCpu()
    {
        Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000\n");
        Write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "<unknown>\n");
        Observation observation = Observed();
        using FrequencySource source = FrequencySource.Open(Options(new Kilohertz(2_000_000)), 2);
        source.Apply(observation, 0, 0);
        Assert.Equal(FrequencyOrigin.Cpufreq, source.Origin);
        Assert.Equal(2_400_000, observation.Cpus[0].KiloHertz);
        Assert.Equal(72_000, observation.Runs[0].KiloCycles);
        Assert.Equal(Unobserved.Value, observation.Runs[1].KiloCycles);
    }

    [Fact]
    public void Open_NothingButTheBaseFrequency_UsesIt()
    {
        Observation observation = Observed();
        using FrequencySource source = FrequencySource.Open(Options(new Kilohertz(2_000_000)), 2);
        source.Apply(observation, 0, 0);
        Assert.Equal(FrequencyOrigin.Base, source.Origin);
        Assert.Equal(60_000, observation.Runs[0].KiloCycles);
    }

    [Fact]
    public void Open_NothingAtAll_LeavesFrequencyUnobserved()
    {
        Observation observation = Observed();
        using FrequencySource source = FrequencySource.Open(Options(null), 2);
        source.Apply(observation, 0, 0);
        Assert.Equal(FrequencyOrigin.None, source.Origin);
        Assert.Equal(Unobserved.Value, observation.Cpus[0].KiloHertz);
        Assert.Equal(Unobserved.Value, observation.Runs[0].KiloCycles);
    }

    [Fact]
    public void Advance_AperfMperf_MeanWhileAwake()
    {
        RatioCounter counter = default;
        Assert.Equal(Unobserved.Value, counter.Advance(1_000, 1_000, 2_000_000));
        Assert.Equal(3_000_000, counter.Advance(1_000 + 1_500, 1_000 + 1_000, 2_000_000));
        Assert.Equal(3_000_000, counter.Advance(2_500, 2_000, 2_000_000));
        Assert.Equal(Unobserved.Value, counter.Advance(0, 2_001, 2_000_000));
    }

    [Fact]
    public void Drain_SchedstatTree_KnownThreadsAndTheRestOfTheirCgroup()
    {
        Write("cgroup/cpu.stat", "usage_usec 9999\n");
        Write("cgroup/web/cpu.stat", "usage_usec 1000\n");
        Write("proc/42/cgroup", "0::/web\n");
        Write("proc/42/task/42/stat", "42 (we b) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0\n");
        Write("proc/42/task/42/schedstat", "500000 10 3\n");
        using var source = new SchedstatRunSource(new SchedstatOptions { ProcRoot = Path.Combine(_root, "proc"), CgroupRoot = Path.Combine(_root, "cgroup") }, TimeProvider.System);
        Observation observation = new();
        observation.Begin(1, 0);
        source.Drain(observation);
        Assert.Equal(0, observation.Runs.Count);
        Write("cgroup/web/cpu.stat", "usage_usec 4000\n");
        Write("proc/42/task/42/schedstat", "2500000 10 4\n");
        observation.Begin(2, observation.EndNanoseconds);
        source.Drain(observation);

        Assert.Equal(2, observation.Threads.Count);
        ThreadRow thread = observation.ThreadTable[observation.Threads[0].Row];
        Assert.Equal("we b", thread.Name);
        Assert.Equal(770_000_000, thread.StartNanoseconds);
        Assert.Equal(2_000_000, observation.Runs[0].Nanoseconds);
        Assert.Equal(3, observation.Runs[0].Cpu);
        Assert.Equal("other", observation.ThreadTable[observation.Threads[1].Row].Name);
        Assert.Equal(1_000_000, observation.Runs[1].Nanoseconds);
        Assert.NotEqual(0ul, thread.CgroupId);
    }

    [Fact]
    public void Drain_SchedstatBesideCgroupsOfVersion1_CountsNobodyTwice()
    {
        Write("cgroup/unified/cgroup.controllers", "");
        Write("cgroup/unified/cpu.stat", "usage_usec 1000\n");
        Write("proc/42/cgroup", "4:memory:/web\n0::/\n");
        Write("proc/42/task/42/stat", "42 (web) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0\n");
        Write("proc/42/task/42/schedstat", "500000 10 3\n");
        using var source = new SchedstatRunSource(new SchedstatOptions { ProcRoot = Path.Combine(_root, "proc"), CgroupRoot = Path.Combine(_root, "cgroup") }, TimeProvider.System);
        Observation observation = new();
        observation.Begin(1, 0);
        source.Drain(observation);
        Write("cgroup/unified/cpu.stat", "usage_usec 4000\n");
        Write("proc/42/task/42/schedstat", "2500000 10 4\n");
        observation.Begin(2, observation.EndNanoseconds);
        source.Drain(observation);

        // 3 ms in all, of which the thread ran 2.
        Assert.Equal([2_000_000, 1_000_000], observation.Runs.Items.ToArray().Select(run => run.Nanoseconds));
        Assert.Equal(3_000_000, observation.Cpus.Items.ToArray().Sum(cpu => cpu.BusyNanoseconds));
    }

    [Fact]
    public void Drain_SchedstatNobodyRan_CpuTimeIsKnownToBeZero()
    {
        Write("cgroup/web/cpu.stat", "usage_usec 1000\n");
        using var source = new SchedstatRunSource(new SchedstatOptions { ProcRoot = Path.Combine(_root, "none"), CgroupRoot = Path.Combine(_root, "cgroup") }, TimeProvider.System);
        Observation observation = new();
        observation.Begin(1, 0);
        source.Drain(observation);
        Assert.Equal(0, observation.Cpus.Count); // The baseline: not known yet.
        observation.Begin(2, observation.EndNanoseconds);
        source.Drain(observation);
        Assert.Equal(1, observation.Cpus.Count);
        Assert.Equal(0, observation.Cpus[0].BusyNanoseconds);
    }

    [Fact]
    public void IsLeaf_CgroupVanishedSinceItWasListed_IsNone()
    {
        Write("cgroup/web/cpu.stat", "usage_usec 1000\n");
        Assert.False(SchedstatRunSource.IsLeaf(Path.Combine(_root, "cgroup")));
        Assert.True(SchedstatRunSource.IsLeaf(Path.Combine(_root, "cgroup/web")));
        Assert.False(SchedstatRunSource.IsLeaf(Path.Combine(_root, "cgroup/gone")));
    }

    [Fact]
    public void Drain_SchedstatWithoutAnything_ReportsNothing()
    {
        using var source = new SchedstatRunSource(new SchedstatOptions { ProcRoot = Path.Combine(_root, "none"), CgroupRoot = Path.Combine(_root, "none") }, TimeProvider.System);
        Observation observation = new();
        observation.Begin(1, 0);
        source.Drain(observation);
        Assert.Equal(0, observation.Threads.Count);
        Assert.Equal(0, observation.Cpus.Count);
    }

    [Fact]
    public void Examine_MachineWithNothing_SaysWhatMends()
    {
        IReadOnlyList<CapabilityCheck> checks = BpfDoctor.Examine(Options(null));
        Assert.All(checks.Where(check => !check.Ok), check => Assert.NotEmpty(check.Mend));
        Assert.Contains(checks, check => check is { Name: "BTF", Ok: false });
        Assert.Contains(checks, check => check is { Name: "CAP_BPF", Ok: false });
        Assert.Contains(checks, check => check is { Name: "eBPF accounting", Ok: false });
    }

    [Fact]
    public void Examine_CgroupV1IsMounted_DoesNotAdviseToMountOverIt()
    {
        Assert.StartsWith("mount ", Check("cgroup v2 cpu.stat").Mend, StringComparison.Ordinal);
        _ = Directory.CreateDirectory(Path.Combine(_root, "sys/fs/cgroup/cpu,cpuacct"));
        _ = Directory.CreateDirectory(Path.Combine(_root, "sys/fs/cgroup/unified"));
        Assert.Equal("boot with systemd.unified_cgroup_hierarchy=1", Check("cgroup v2 cpu.stat").Mend);
    }

    [Fact]
    public void Examine_TracefsMountedAndNotReadable_IsNotCalledUnmounted()
    {
        Assert.StartsWith("not mounted", Check("tracefs").Found, StringComparison.Ordinal);
        Write("proc/self/mounts", "sysfs /sys sysfs rw 0 0\ntracefs /sys/kernel/tracing tracefs rw 0 0\n");
        Assert.StartsWith("mounted, but", Check("tracefs").Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Examine_CapabilitiesMissing_NamesACommandForItsOwnService() =>
        Assert.Contains("/etc/systemd/system/keck-guest.service.d/bpf.conf", BpfDoctor.Examine(Options(null), "keck-guest").Single(check => check.Name == "CAP_BPF").Mend, StringComparison.Ordinal);

    private CapabilityCheck Check(string name) => BpfDoctor.Examine(Options(null)).Single(check => check.Name == name);

    private static Observation Observed()
    {
        Observation observation = new();
        for (int cpu = 0; cpu < 2; cpu++)
        {
            ref CpuSample sample = ref observation.Cpus.Add();
            sample.Cpu = cpu;
            sample.BusyNanoseconds = 30_000_000;
            sample.KiloHertz = Unobserved.Value;
            ref RunSample run = ref observation.Runs.Add();
            run.Cpu = cpu;
            run.Nanoseconds = 30_000_000;
            run.KiloCycles = Unobserved.Value;
        }

        return observation;
    }

    private BpfOptions Options(Kilohertz? frequency) => new()
    {
        Topology = new Topology([new CpuPlace(0, 0, 0, 0), new CpuPlace(1, 1, 0, 0)], frequency),
        ProcRoot = Path.Combine(_root, "proc"),
        SysRoot = Path.Combine(_root, "sys"),
        DevRoot = Path.Combine(_root, "dev"),
    };

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        // In place: the source keeps its descriptor, as on procfs.
        using FileStream stream = new(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(0);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
