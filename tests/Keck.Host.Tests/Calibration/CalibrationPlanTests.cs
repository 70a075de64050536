namespace Keck.Host.Tests;

public sealed class CalibrationPlanTests
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(7);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(16, 3)]
    [InlineData(512, 3)]
    public void For_AnyMachine_IsIdleFirstThenEachLoadOnOneToAllCpus(int cpus, int counts)
    {
        CalibrationPlan plan = CalibrationPlan.For(cpus, Step, frequencies: false);
        Assert.Null(plan.Steps[0].Load);
        Assert.Equal(1 + (6 * counts), plan.Steps.Length);
        foreach (LoadKind load in Enum.GetValues<LoadKind>())
        {
            int[] on = [.. plan.Steps.Where(step => step.Load == load).Select(step => step.Cpus)];
            Assert.Equal((1, cpus, counts), (on[0], on[^1], on.Distinct().Count()));
        }

        Assert.All(plan.Steps, step => Assert.Null(step.Speed));
        Assert.InRange(plan.Length, TimeSpan.FromSeconds(45), TimeSpan.FromMinutes(2.5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(512)]
    public void For_Frequencies_SlowsDownAfterwardsWithinFiveMinutes(int cpus)
    {
        CalibrationPlan plan = CalibrationPlan.For(cpus, Step, frequencies: true);
        Assert.Equal(2, plan.Steps.Select(step => step.Speed).OfType<double>().Distinct().Count());
        Assert.All(plan.Steps.SkipWhile(step => step.Speed is null), step => Assert.NotNull(step.Speed));
        Assert.InRange(plan.Length, TimeSpan.FromMinutes(1), CalibrationPlan.Longest);
    }

    [Fact]
    public void For_ShortSteps_StillSeesTheMachineIdle() =>
        Assert.Equal(TimeSpan.FromSeconds(3), CalibrationPlan.For(2, TimeSpan.FromMilliseconds(200), frequencies: false).Steps[0].Length);

    [Fact]
    public void Rest_EachStep_IsWhatIsLeft()
    {
        CalibrationPlan plan = CalibrationPlan.For(2, Step, frequencies: false);
        Assert.Equal(plan.Length - plan.Steps[0].Length, plan.Rest(1));
        Assert.Equal(plan.Steps[^1].Length, plan.Rest(plan.Steps.Length - 1));
    }

    [Theory]
    [InlineData(null, 0, null, "idle")]
    [InlineData((int)LoadKind.Chasing, 1, null, "chasing on 1 CPU")]
    [InlineData((int)LoadKind.Vector, 8, 0.5, "vector on 8 CPUs up to 50 % of the frequency range")]
    public void ToString_Step_IsForPeople(int? load, int cpus, double? speed, string text) =>
        Assert.Equal(text, new CalibrationStep((LoadKind?)load, cpus, speed, Step).ToString());
}
