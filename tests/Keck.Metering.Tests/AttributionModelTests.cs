namespace Keck.Metering.Tests;

public sealed class AttributionModelTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(false, false, null, ModelKind.CpuTimeRatio)]
    [InlineData(true, false, null, ModelKind.FrequencyWeighted)]
    [InlineData(true, true, null, ModelKind.Adaptive)]
    [InlineData(true, true, ModelKind.FullModel, ModelKind.FullModel)]
    [InlineData(true, false, ModelKind.Adaptive, ModelKind.FrequencyWeighted)]
    [InlineData(true, true, ModelKind.FrequencyWeighted, ModelKind.FrequencyWeighted)]
    [InlineData(true, true, ModelKind.CpuTimeRatio, ModelKind.CpuTimeRatio)]
    [InlineData(true, false, ModelKind.FullModel, ModelKind.FrequencyWeighted)]
    public void Attribute_DataPresent_ChoosesTheBestModelAllowed(bool frequency, bool counters, ModelKind? limit, ModelKind expected)
    {
        (Observation observation, int[] threads, _) = TwoProcesses();
        observation.Next(Second);
        foreach (int thread in threads)
        {
            observation.Run(thread, (0, Second / 4, frequency ? 500_000 : Unobserved.Value));
            if (counters)
            {
                Count(observation, cycles: 500_000_000, instructions: 500_000_000, misses: 1_000);
            }
        }

        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        Assert.Equal(expected, new Attributor(new AttributionOptions { Model = limit }).Attribute(observation).Model);
    }

    [Theory]
    [InlineData(91, ModelKind.FrequencyWeighted)]
    [InlineData(89, ModelKind.CpuTimeRatio)]
    public void Attribute_FrequencyOfMostOfTheTime_DecidesTheModel(int percentKnown, ModelKind expected)
    {
        (Observation observation, int[] threads, _) = TwoProcesses();
        observation.Next(Second);
        observation.Run(threads[0], (0, percentKnown * 1_000_000L, 2_000 * percentKnown));
        observation.Run(threads[1], (0, (100 - percentKnown) * 1_000_000L, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        Assert.Equal(expected, new Attributor().Attribute(observation).Model);
    }

    [Fact]
    public void Attribute_FullModel_FollowsTheFormula()
    {
        // 1 + 0.3 × 2 + 1.5 × 0.1 = 1.75 against 1 + 0.3 × 0.5 + 1.5 × 0.4 = 1.75; with β = 0: 1.6 against 1.15.
        Assert.Equal((500_000, 500_000), FullModel(new AttributionOptions()));
        Assert.Equal((581_818, 418_182), FullModel(new AttributionOptions { Beta = 0 }));

        // α = 0: 1.15 against 1.6.
        Assert.Equal((418_182, 581_818), FullModel(new AttributionOptions { Alpha = 0 }));
    }

    [Fact]
    public void Attribute_AdaptiveKnowingNothing_FollowsTheGeneralModel()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses();
        observation.Next(Second);

        // At 2.5 GHz, two instructions a cycle against one: 0.55 + 2 × 0.4 and 0.55 + 0.4, and for both half of what is awake around two cores (0.15 each).
        observation.Run(threads[0], (0, Second / 10, 250_000));
        Count(observation, cycles: 250_000_000, instructions: 500_000_000, misses: 0);
        observation.Run(threads[1], (1, Second / 10, 250_000));
        Count(observation, cycles: 250_000_000, instructions: 250_000_000, misses: 0);
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        double awake = 0.15 * 2 * (1 - (0.9 * 0.9)) / 0.1 / 2, heavy = 1.35 + awake, light = 0.95 + awake;
        (long first, long second) = Shares(new Attributor().Attribute(observation), processes);
        Assert.Equal(1_000_000, first + second);
        Assert.Equal(1e6 * heavy / (heavy + light), first, 2.0);
    }

    [Fact]
    public void Attribute_AdaptiveOnAMachineOfOtherCoefficients_LearnsThem()
    {
        // A machine whose energy is nearly all in its instructions: by the general model half of it goes by the clock.
        static double Share(bool signatures)
        {
            (Observation observation, int[] threads, int[] processes) = TwoProcesses();
            Attributor attributor = new(new AttributionOptions { Signatures = signatures });
            Random random = new(7);
            long estimate = 0, truth = 0, all = 0;
            for (int tick = 0; tick < 400; tick++)
            {
                observation.Next(Second / 10);
                double energy = 0;
                for (int i = 0; i < 2; i++)
                {
                    // One does three instructions a cycle, the other a third.
                    long nanoseconds = random.Next(5) * (Second / 50), instructions = i == 0 ? nanoseconds * 15 / 2 : nanoseconds * 5 / 6;
                    if (nanoseconds > 0)
                    {
                        observation.Run(threads[i], (i, nanoseconds, nanoseconds * 5 / 2_000));
                        Count(observation, cycles: nanoseconds * 5 / 2, instructions, misses: 0);
                    }

                    double used = (nanoseconds * 1e-3) + (instructions * 2e-3);
                    energy += used;
                    truth += i == 0 && tick >= 200 ? (long)used : 0;
                }

                observation.CloseCpus();
                observation.Read(0, (long)energy);
                TickAttribution result = attributor.Attribute(observation);
                if (tick >= 200)
                {
                    estimate += result.Processes.Items.Contains(processes[0]) ? result.Active(processes[0], 0) : 0;
                    all += (long)energy;
                }
            }

            Assert.InRange(truth, all / 2, all);
            return Math.Abs(estimate - truth) / (double)all;
        }

        double without = Share(signatures: false), with = Share(signatures: true);
        Assert.True(with < without / 3 && without > 0.05, $"{with:P1} with, {without:P1} without");
    }

    [Fact]
    public void Attribute_TwiceTheFrequency_WeighsFourTimes()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses();
        observation.Next(Second);

        // 100 ms at 2 GHz and at 1 GHz.
        observation.Run(threads[0], (0, Second / 10, 200_000));
        observation.Run(threads[1], (1, Second / 10, 100_000));
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        Assert.Equal((800_000, 200_000), Shares(new Attributor().Attribute(observation), processes));
    }

    [Fact]
    public void Attribute_ThreadCyclesOnly_GiveTheFrequencyOfItsRuns()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses();
        observation.Next(Second);
        observation.Run(threads[0], (0, Second / 10, Unobserved.Value));
        observation.Threads[0].Cycles = 300_000_000;
        observation.Run(threads[1], (1, Second / 10, Unobserved.Value));
        observation.Threads[1].Cycles = 100_000_000;
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal(ModelKind.FrequencyWeighted, result.Model);
        Assert.Equal((900_000, 100_000), Shares(result, processes));
    }

    [Fact]
    public void Attribute_TimeBesideABusyHyperthread_WeighsLess()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses();
        observation.Next(Second);
        observation.Run(threads[0], (0, Second / 10, Unobserved.Value));
        observation.Run(threads[1], (1, Second / 10, Unobserved.Value));
        observation.Runs[1].SharedNanoseconds = Second / 10;
        observation.CloseCpus();
        observation.Read(0, 1_550_000);

        // 100 ms against 55 ms.
        Assert.Equal((1_000_000, 550_000), Shares(new Attributor().Attribute(observation), processes));
    }

    [Fact]
    public void Attribute_OrderOfThreads_DoesNotMatter()
    {
        var random = new Random(1234);
        (long, long, long)[] runs = [.. Enumerable.Range(0, 50).Select(_ => (random.NextInt64(1, 20_000_000), random.NextInt64(1, 40_000), random.NextInt64(0, 1_000_000)))];
        Assert.Equal(ByThread(runs, [.. Enumerable.Range(0, 50)]), ByThread(runs, [.. Enumerable.Range(0, 50).Reverse()]));
    }

    private static long[] ByThread((long Nanoseconds, long KiloCycles, long Misses)[] runs, int[] order)
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 4), Machines.Package(0) with { KnownStaticWatts = 1 });
        int[] processes = [.. Enumerable.Range(0, runs.Length).Select(i => observation.Process(100 + i))];
        int[] threads = [.. processes.Select((process, i) => observation.Thread(1_000 + i, process))];
        observation.Next(Second);
        foreach (int i in order)
        {
            observation.Run(threads[i], (i % 4, runs[i].Nanoseconds, runs[i].KiloCycles));
            Count(observation, 1_000_000, 2_000_000, runs[i].Misses);
        }

        observation.CloseCpus();
        observation.Read(0, 17_000_003);
        TickAttribution result = new Attributor().Attribute(observation);
        return [.. processes.Select(process => result.Active(process, 0))];
    }

    private static (long, long) FullModel(AttributionOptions options)
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses();
        observation.Next(Second);
        observation.Run(threads[0], (0, Second / 10, 100_000));
        Count(observation, cycles: 100_000_000, instructions: 200_000_000, misses: 20_000_000);
        observation.Run(threads[1], (1, Second / 10, 100_000));
        Count(observation, cycles: 100_000_000, instructions: 50_000_000, misses: 20_000_000);
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        return Shares(new Attributor(options with { Model = ModelKind.FullModel }).Attribute(observation), processes);
    }

    private static void Count(Observation observation, long cycles, long instructions, long misses)
    {
        ref ThreadSample sample = ref observation.Threads[observation.Threads.Count - 1];
        (sample.Cycles, sample.Instructions, sample.LlcMisses) = (cycles, instructions, misses);
    }

    private static (long, long) Shares(TickAttribution result, int[] processes) => (result.Active(processes[0], 0), result.Active(processes[1], 0));

    // A meter whose source knows that nothing of it is static: the shares are those of the model alone.
    private static (Observation Observation, int[] Threads, int[] Processes) TwoProcesses()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 0 });
        int[] processes = [observation.Process(100), observation.Process(101)];
        return (observation, [observation.Thread(1_000, processes[0]), observation.Thread(1_001, processes[1])], processes);
    }
}
