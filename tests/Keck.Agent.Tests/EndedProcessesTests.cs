using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class EndedProcessesTests
{
    private const long Second = 1_000_000_000;
    private readonly ProcessTable _processes = new();

    [Fact]
    public void TryLetGo_NotSeenNotOldNotMany_Stays()
    {
        EndedProcesses ended = Collected(Ended(1));
        Assert.False(ended.TryLetGo(Second * 300, seenNanoseconds: 0, _processes, out _));
    }

    [Fact]
    public void TryLetGo_SeenByAScrape_Goes()
    {
        int row = Ended(1);
        EndedProcesses ended = Collected(row);
        Assert.True(ended.TryLetGo(Second * 3, seenNanoseconds: Second * 2, _processes, out int gone));
        Assert.Equal((row, 0L), (gone, ended.Dropped));
    }

    [Fact]
    public void TryLetGo_TenMinutesOld_Goes() =>
        Assert.True(Collected(Ended(1)).TryLetGo(Second * 602, seenNanoseconds: 0, _processes, out _));

    [Fact]
    public void TryLetGo_MoreThanTheLimit_OldestGoAndAreCounted()
    {
        EndedProcesses ended = Collected([.. Enumerable.Range(1, 103).Select(Ended)]);
        int gone = 0;
        while (ended.TryLetGo(Second * 2, seenNanoseconds: 0, _processes, out _))
        {
            gone++;
        }

        Assert.Equal((3, 3L), (gone, ended.Dropped));
    }

    [Fact]
    public void TryLetGo_LivesOn_IsForgottenByTheQueue()
    {
        int row = Ended(1);
        EndedProcesses ended = Collected(row);
        _processes[row].Ended = false;
        Assert.False(ended.TryLetGo(Second * 602, Second * 600, _processes, out _));
    }

    [Fact]
    public void Metrics_Scrape_MarksItsSnapshotSeenAndTheApiDoesNot()
    {
        FakeAgent agent = new();
        _ = agent.Get("/api/v1/processes");
        Assert.Null(agent.Seen);
        _ = agent.Get("/metrics");
        Assert.Same(agent.Now, agent.Seen);
    }

    private int Ended(int pid)
    {
        int row = _processes.FindOrAdd(pid, pid, "p", kernel: false);
        _processes[row].Ended = true;
        return row;
    }

    private EndedProcesses Collected(params int[] rows)
    {
        Assert.NotEmpty(rows);
        EndedProcesses ended = new(new EngineOptions { EndedProcessLimit = 100 });
        ended.Collect(_processes, Second);
        return ended;
    }
}
