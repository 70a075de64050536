using System.Globalization;
using Keck.Metering;

namespace Keck.Host.Tests;

public sealed class LoadCrewTests
{
    [Fact]
    public void Order_PackagesAndHyperthreads_SpreadsBeforeItShares()
    {
        // As the kernel numbers them: 0 to 3 cores, two a package; 4 to 7 their siblings.
        Topology topology = new(Enumerable.Range(0, 8).Select(cpu => new CpuPlace(cpu, cpu % 4, cpu % 4 / 2, 0)), null);
        Assert.Equal([0, 2, 1, 3, 4, 6, 5, 7], LoadCrew.Order(topology).AsSpan());
    }

    [Fact]
    public async Task Begin_EachLoadOnAllCpus_RunsThereAndEndsWhenTold()
    {
        int[] cpus = [.. Allowed()];
        using LoadCrew crew = new(new Topology(cpus.Select(cpu => new CpuPlace(cpu, cpu, 0, 0)), null));
        string[] workers = [];
        await Until.TrueAsync(() => (workers = [.. Workers()]).Length == cpus.Length, "a thread for each CPU");
        foreach (LoadKind load in Enum.GetValues<LoadKind>())
        {
            long[] before = [.. workers.Select(Ran)];
            crew.Begin(load, cpus.Length);
            await Until.TrueAsync(() => workers.Select((worker, i) => Ran(worker) > before[i]).All(ran => ran), $"{load} on every CPU");
            crew.End();
            await Until.TrueAsync(() => workers.All(worker => Status(worker, "State:")[0] == 'S'), $"everybody asleep after {load}");
            long[] after = [.. workers.Select(Ran)];
            crew.Begin(load, 0);
            crew.End();
            Assert.Equal(after, workers.Select(Ran));
        }

        Assert.Equal(cpus.Select(cpu => $"{cpu}").Order(StringComparer.Ordinal), workers.Select(worker => Status(worker, "Cpus_allowed_list:")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Dispose_AtWork_Ends()
    {
        for (int i = 0; i < 20; i++)
        {
            using LoadCrew crew = new(new Topology([new CpuPlace(0, 0, 0, 0)], null));
            crew.Begin(LoadKind.Integer, 1);
        }

        await Until.TrueAsync(() => !Workers().Any(), "no worker left");
    }

    [Fact]
    public void Burst_EachKind_DoesSomethingAndStaysFinite()
    {
        foreach (LoadKind kind in Enum.GetValues<LoadKind>())
        {
            LoadKernels kernels = new(1 << 20);
            for (int i = 0; i < 200; i++)
            {
                kernels.Burst(kind);
            }

            (ulong number, float sum, int at, byte hash) = kernels.Result;
            Assert.True(float.IsFinite(sum));
            LoadKernels idle = new(1 << 20);
            Assert.True(kind == LoadKind.Streaming || idle.Result != (number, sum, at, hash), $"{kind} left no trace");
        }
    }

    private static IEnumerable<int> Allowed()
    {
        foreach (string range in Status("/proc/self", "Cpus_allowed_list:").Split(','))
        {
            int[] ends = [.. range.Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            for (int cpu = ends[0]; cpu <= ends[^1]; cpu++)
            {
                yield return cpu;
            }
        }
    }

    private static IEnumerable<string> Workers() => Directory.EnumerateDirectories("/proc/self/task").Where(task => Text(task, "comm").StartsWith("keck-load-", StringComparison.Ordinal));

    private static long Ran(string task) => long.Parse(Text(task, "schedstat").Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Status(string task, string member) =>
        File.ReadLines(Path.Combine(task, "status")).First(line => line.StartsWith(member, StringComparison.Ordinal))[member.Length..].Trim();

    private static string Text(string task, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, file)).Trim();
        }
        catch (IOException)
        {
            return ""; // It has just ended.
        }
    }
}
