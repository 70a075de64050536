namespace Keck.VsockProtocol.Tests;

public sealed class FrameOutboxTests
{
    [Fact]
    public void Post_NewerOfItsType_TakesItsPlaceAtTheEndOfTheLine()
    {
        using var outbox = new FrameOutbox();
        Assert.Equal(PostResult.Queued, outbox.Post(new Mark { Interval = 1 }));
        Assert.Equal(PostResult.Queued, outbox.Post(new Budget { Interval = 1 }));
        Assert.Equal(PostResult.Superseded, outbox.Post(new Mark { Interval = 2 }));
        Assert.Equal(1, outbox.Superseded);
        Assert.Equal(new Budget { Interval = 1 }, Take(outbox));
        Assert.Equal(new Mark { Interval = 2 }, Take(outbox));
        Assert.Null(Take(outbox));
    }

    [Fact]
    public void Post_MessageUsedAgain_SendsWhatItWas()
    {
        using var outbox = new FrameOutbox();
        var mark = new Mark { Interval = 1 };
        _ = outbox.Post(mark);
        mark.Interval = 99;
        Assert.Equal(new Mark { Interval = 1 }, Take(outbox));
    }

    [Fact]
    public void Post_Completed_IsRefusedAndWhatWaitsGoesOut()
    {
        using var outbox = new FrameOutbox();
        _ = outbox.Post(new Goodbye { Reason = WireReason.Shutdown });
        outbox.Complete();
        Assert.Equal(PostResult.NotConnected, outbox.Post(new Mark { Interval = 1 }));
        Assert.IsType<Goodbye>(Take(outbox));
    }

    [Fact]
    public void Post_SteadyState_AllocatesNothing()
    {
        using var outbox = new FrameOutbox();
        Budget budget = Samples.Budget(64, 1_000_000);
        byte[] buffer = [];
        long before = 0;
        for (int i = 0; i < 110; i++)
        {
            if (i == 10)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            _ = outbox.Post(budget);
            Assert.True(outbox.TryTake(ref buffer, out _, out _));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Google.Protobuf.IMessage? Take(FrameOutbox outbox)
    {
        byte[] buffer = [];
        return outbox.TryTake(ref buffer, out int length, out _) ? Assert.Single(Decoding.Frames(buffer.AsSpan(0, length))).Message : null;
    }
}
