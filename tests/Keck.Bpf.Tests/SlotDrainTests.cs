using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf.Tests;

public sealed class SlotDrainTests : IDisposable
{
    private readonly SyntheticMemory _memory = new(cpus: 2, slots: 64);
    private readonly Observation _observation = new();
    private readonly bool[] _online = [true, true];
    private readonly SlotDrain _drain;
    private long _tick;

    public SlotDrainTests()
    {
        _drain = new SlotDrain(_memory);
        _memory.Switch(0, 0);
        _memory.Switch(1, 0);
        _drain.Prime(_online, new Observation());
    }

    [Fact]
    public void Drain_ThreadStillRunning_ReportsItsSliceOnceOnly()
    {
        int slot = _memory.Birth(tid: 10);
        _memory.Switch(0, slot);
        _memory.Time += 400;
        Drain();
        Assert.Equal(400, Ran());
        _memory.Time += 100;
        _memory.Switch(0, 0);
        _memory.Time += 50;
        Drain();
        Assert.Equal(100, Ran());
        Assert.Equal(50, _observation.Cpus[0].IdleNanoseconds);
        Assert.Equal(0, _observation.Cpus[0].InterruptNanoseconds);
    }

    [Fact]
    public void Drain_CountersTakeTurns_AreUnknownUntilTheyAreOursAgain()
    {
        _memory.Counted = new CounterRecord[64];
        int slot = _memory.Birth(tid: 10);
        long[] instructions = new long[3];
        for (int drain = 0; drain < 3; drain++)
        {
            _memory.Switch(0, slot);
            _memory.Time += 400;
            _memory.Switch(0, 0);
            ref CounterRecord counted = ref _memory.Counted[slot];
            counted = new CounterRecord { First = counted.First + 1_000, Second = counted.Second + 2_000, Third = counted.Third + 3 };
            _drain.CountersTaken = drain == 1;
            Drain();
            instructions[drain] = _observation.Threads[0].Instructions;
            Assert.Equal(drain == 1, _observation.Threads[0].LlcMisses == Unobserved.Value && _observation.Threads[0].Cycles == Unobserved.Value);
        }

        // What was counted meanwhile is not made good: it is not known how much there was.
        Assert.Equal([1_000, Unobserved.Value, 1_000], instructions);
    }

    [Fact]
    public void Drain_ProvisionalSliceSettledOnAnotherCpu_ThreadsTotalStaysExact()
    {
        int slot = _memory.Birth(tid: 10);
        _memory.Switch(0, slot);
        _memory.Time += 400;
        Drain();
        _memory.Time += 100;
        _memory.Switch(0, 0, chargedTo: 1); // As after a missed switch.
        long total = 400;
        Drain();
        total += Ran();
        _memory.Switch(1, slot);
        _memory.Time += 1_000;
        _memory.Switch(1, 0);
        Drain();
        total += Ran();
        Assert.Equal(1_500, total);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Drain_SwitchesWhileItReads_AreOfTheNextDrain(bool dies)
    {
        int slot = _memory.Birth(tid: 10), other = _memory.Birth(tid: 11);
        _memory.Switch(0, slot);
        _memory.Time += 400;
        int calls = 0;
        _memory.Meanwhile = () =>
        {
            if (++calls == 2)
            {
                // CPU 0 has been read, CPU 1 is being read.
                _memory.Time += 30;
                _memory.Switch(0, other);
                _memory.Time += 5;
                _memory.Switch(0, 0);
                _memory.Slots[slot].State = dies ? SlotState.Dead : SlotState.Live;
            }
        };
        Drain();
        _memory.Meanwhile = null;
        Assert.Equal(400, Ran());
        Assert.Equal(400, _observation.Cpus[0].BusyNanoseconds);
        Assert.Empty(_observation.ThreadTable.Ended);
        Drain();
        Assert.Equal(35, Ran());
        Assert.Equal(dies ? 1 : 0, _observation.ThreadTable.Ended.Count);
        Assert.Equal(0, _drain.Overcharged);
        Drain();
        Assert.Equal(0, Ran());
    }

    [Fact]
    public void Drain_KnownThreadRunsWhileItReads_IsOfTheNextDrain()
    {
        int running = _memory.Birth(tid: 10), known = _memory.Birth(tid: 11);
        _memory.Switch(0, known);
        _memory.Time += 20;
        _memory.Switch(0, running);
        Drain();
        _memory.Time += 400;
        int calls = 0;
        _memory.Meanwhile = () =>
        {
            if (++calls == 2)
            {
                // CPU 0 has been read: what the other thread adds to the entry that it has there lies behind the cut.
                _memory.Time += 30;
                _memory.Switch(0, known);
                _memory.Time += 5;
                _memory.Switch(0, 0);
            }
        };
        Drain();
        _memory.Meanwhile = null;
        Assert.Equal(400, Ran());
        Drain();
        Assert.Equal(35, Ran());
    }

    [Fact]
    public void Drain_ThreadDied_EndsItsRowAndRecyclesTheSlot()
    {
        int slot = _memory.Birth(tid: 10);
        _memory.Switch(0, slot);
        _memory.Time += 250;
        _memory.Switch(0, 0);
        _memory.Slots[slot].State = SlotState.Dead;
        Drain();
        Assert.Equal(250, Ran());
        Assert.Single(_observation.ThreadTable.Ended);
        Assert.Equal(SlotState.Free, _memory.Slots[slot].State);
        Drain();
        Assert.Equal(0, _observation.ThreadTable.Count);
    }

    [Fact]
    public void Drain_OverflowDetached_ReportsItWithItsOwnerAndRecyclesIt()
    {
        int owner = _memory.Birth(tid: 10), overflow = _memory.Birth(tid: 0);
        _memory.Globals.Overflows = 1;
        _memory.Slots[owner].Runtime = 30;
        _memory.Slots[owner].Entries[0] = new EntryRecord { CpuPlusOne = 1, Nanoseconds = 10 };
        _memory.Slots[overflow] = new SlotRecord { State = SlotState.Detached, Home = (uint)owner };
        _memory.Slots[overflow].Entries[0] = new EntryRecord { CpuPlusOne = 2, Nanoseconds = 20 };
        Drain();
        Assert.Equal(1, _observation.Threads.Count);
        Assert.Equal(2, _observation.Threads[0].RunCount);
        Assert.Equal(30, Ran());
        Assert.Equal(SlotState.Free, _memory.Slots[overflow].State);
        Drain();
        Assert.Equal(0, Ran());
    }

    [Fact]
    public void Drain_EntryTakenForAnotherCpu_CountsFromZero()
    {
        int slot = _memory.Birth(tid: 10);
        _memory.Slots[slot].Runtime = 500;
        _memory.Slots[slot].Entries[0] = new EntryRecord { CpuPlusOne = 1, Nanoseconds = 500 };
        Drain();
        _memory.Slots[slot].Runtime = 507;
        _memory.Slots[slot].Entries[0] = new EntryRecord { CpuPlusOne = 2, Nanoseconds = 7 };
        Drain();
        Assert.Equal(7, Ran());
        Assert.Equal(1, _observation.Runs[0].Cpu);
    }

    [Fact]
    public void Drain_EntryTakenWhileItIsRead_IsNeverHalfOfEach()
    {
        const long OnFirst = 1_000_000_000, OnSecond = 5_000_000_000;
        const int Drains = 200_000;
        int slot = _memory.Birth(tid: 10);
        bool ended = false;
        Thread kernel = new(() =>
        {
            // As kernel/entries.h claims an entry: the slot's seq is odd while it is neither CPU's.
            for (bool first = true; !Volatile.Read(ref ended); first = !first)
            {
                ref SlotRecord record = ref _memory.Slots[slot];
                Volatile.Write(ref record.Seq, record.Seq + 1);
                Volatile.Write(ref record.Entries[0].CpuPlusOne, first ? 1u : 2u);
                Volatile.Write(ref record.Entries[0].Nanoseconds, (ulong)(first ? OnFirst : OnSecond));
                Volatile.Write(ref record.Seq, record.Seq + 1);
                Volatile.Write(ref record.Runtime, record.Runtime + 1);
            }
        });
        kernel.Start();
        HashSet<(int, long)> runs = [];
        for (int drain = 0; drain < Drains || runs.Count < 2; drain++)
        {
            Drain();
            foreach (ref RunSample run in _observation.Runs.Items)
            {
                _ = runs.Add((run.Cpu, run.Nanoseconds));
            }
        }

        Volatile.Write(ref ended, true);
        kernel.Join();
        Assert.Equal([(0, OnFirst), (1, OnSecond)], runs.Order());
    }

    [Fact]
    public void Drain_WhoItIsStillBeingWritten_WaitsForTheNextDrain()
    {
        int slot = _memory.Birth(tid: 10);
        _memory.Switch(0, slot);
        _memory.Time += 400;
        _memory.Metas[slot].Generation++;
        Drain();
        Assert.Equal(0, Ran());
        Assert.Equal(0, _observation.ThreadTable.Count);
        _memory.Metas[slot].Generation++;
        Drain();
        Assert.Equal(400, Ran());
        Assert.Equal(10, _observation.ThreadTable[_observation.Threads[0].Row].Tid);
        Assert.Equal(400, _observation.Cpus[0].BusyNanoseconds);
        Assert.Equal(0, _observation.Cpus[0].InterruptNanoseconds);
    }

    [Fact]
    public void Drain_CpuUnpluggedAndBack_SpanBetweenIsNobodys()
    {
        _online[1] = false;
        _memory.Time += 1_000;
        Drain();
        Assert.Equal(1, _observation.Cpus.Count);
        _online[1] = true;
        _memory.Time += 1_000;
        Drain();
        Assert.Equal(1, _observation.Cpus.Count);
        _memory.Time += 1_000;
        Drain();
        Assert.Equal(1_000, _observation.Cpus[1].IdleNanoseconds);
    }

    [Fact]
    public void Drain_RandomSwitches_ConservesEveryNanosecond()
    {
        const int Seed = 20261124;
        var random = new Random(Seed);
        int[] slots = [.. Enumerable.Range(1, 20).Select(_memory.Birth)];
        long start = _memory.Time, busy = 0, idle = 0, interrupt = 0, runs = 0;
        int[] on = [0, 0];
        for (int step = 0; step < 20_000; step++)
        {
            _memory.Time += random.Next(1, 5_000);
            int cpu = random.Next(2);
            int next = random.Next(3) == 0 ? 0 : slots[random.Next(slots.Length)];
            if (next == 0 || next != on[1 - cpu])
            {
                _memory.Switch(cpu, next);
                on[cpu] = next;
            }

            if (random.Next(50) == 0)
            {
                Drain();
                runs += Ran();
                foreach (ref CpuSample sample in _observation.Cpus.Items)
                {
                    busy += sample.BusyNanoseconds;
                    idle += sample.IdleNanoseconds;
                    interrupt += sample.InterruptNanoseconds;
                }
            }
        }

        Drain();
        runs += Ran();
        foreach (ref CpuSample sample in _observation.Cpus.Items)
        {
            busy += sample.BusyNanoseconds;
            idle += sample.IdleNanoseconds;
        }

        Assert.Equal(0, interrupt);
        Assert.Equal(busy, runs);
        Assert.Equal(2 * (_memory.Time - start), busy + idle);
    }

    public void Dispose() => _memory.Dispose();

    private void Drain()
    {
        _observation.Begin(++_tick, _memory.Time);
        _drain.Drain(_observation, _online, []);
    }

    private long Ran()
    {
        long sum = 0;
        foreach (ref RunSample run in _observation.Runs.Items)
        {
            sum += run.Nanoseconds;
        }

        return sum;
    }
}
