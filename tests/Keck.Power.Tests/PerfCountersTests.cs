using System.Diagnostics;
using Keck.Metering;
using Keck.Power.Interop;

namespace Keck.Power.Tests;

public sealed class PerfCountersTests
{
    private const int SoftwarePmu = 1; // PERF_TYPE_SOFTWARE
    private const ulong CpuClock = 0; // PERF_COUNT_SW_CPU_CLOCK

    [Fact]
    public void Open_SoftwareClockOfCpu0_Counts()
    {
        using IPerfCounter? counter = new PerfCounters().Open(SoftwarePmu, CpuClock, cpu: 0, out Absence reason);
        Assert.SkipUnless(counter is not null || reason is not Absence.NotPermitted, "perf_event_open needs CAP_PERFMON");
        Assert.NotNull(counter);
        Assert.True(counter.TryRead(out ulong first));
        Assert.True(SpinWait.SpinUntil(() => counter.TryRead(out ulong now) && now > first, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Open_PmuThatIsNone_IsNotPresent()
    {
        Assert.Null(new PerfCounters().Open(type: 60_000, CpuClock, cpu: 0, out Absence reason));
        Assert.Equal(Absence.NotPresent, reason);
    }

    [Fact]
    public void PerfEventAttribute_Layout_IsTheKernels()
    {
        string directory = Directory.CreateTempSubdirectory("keck-perf-").FullName;
        try
        {
            string source = Path.Combine(directory, "layout.c");
            File.WriteAllText(source, """
                #include <stddef.h>
                #include <asm/unistd.h>
                #include <linux/perf_event.h>
                #define AT(member, offset) _Static_assert(offsetof(struct perf_event_attr, member) == (offset), #member)
                AT(type, 0); AT(size, 4); AT(config, 8); AT(sample_period, 16); AT(sample_type, 24); AT(read_format, 32);
                AT(wakeup_events, 48); AT(bp_type, 52); AT(config1, 56);
                _Static_assert(PERF_ATTR_SIZE_VER0 == 64, "size");
                _Static_assert(PERF_FLAG_FD_CLOEXEC == 8, "cloexec");
                #if defined(__x86_64__)
                _Static_assert(__NR_perf_event_open == 298, "number");
                #elif defined(__aarch64__)
                _Static_assert(__NR_perf_event_open == 241, "number");
                #endif
                """);
            bool compiler = Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(path => File.Exists(Path.Combine(path, "cc")));
            Assert.SkipUnless(compiler, "no C compiler (cc) on PATH");
            using Process process = Process.Start(new ProcessStartInfo("cc", ["-c", "-o", Path.Combine(directory, "layout.o"), source]) { RedirectStandardError = true })!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors);
            Assert.Equal(PerfEventAttribute.Bytes, System.Runtime.InteropServices.Marshal.SizeOf<PerfEventAttribute>());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
