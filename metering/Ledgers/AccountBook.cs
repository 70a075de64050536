using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Metering;

/// <summary>The accounts of all consumers. A process is booked on its own account and on those of the cgroup, container and pod it is in at the time.</summary>
internal sealed class AccountBook
{
    private readonly Column<Account> _accounts = new();
    private readonly Stack<int> _free = new();
    private readonly Column<Booking> _bookings = new();
    private readonly Dictionary<(ConsumerKind Kind, string Id), int> _groups = [];
    private long[] _active = [];
    private long[] _proportional = [];
    private int _stride;

    /// <summary>A process's identity in snapshots, such as <c>4711/812000000000</c>.</summary>
    internal static string ProcessId(in ProcessRow process) => string.Create(CultureInfo.InvariantCulture, $"{process.Pid}/{process.StartNanoseconds}");

    /// <summary>Makes room for more meters.</summary>
    internal void Widen(int meters)
    {
        if (meters <= _stride)
        {
            return;
        }

        (long[] active, long[] proportional, int stride) = (_active, _proportional, _stride);
        _stride = meters;
        _active = new long[Math.Max(16, _accounts.Count) * meters];
        _proportional = new long[_active.Length];
        for (int account = 0; account < _accounts.Count; account++)
        {
            active.AsSpan(account * stride, stride).CopyTo(_active.AsSpan(account * meters));
            proportional.AsSpan(account * stride, stride).CopyTo(_proportional.AsSpan(account * meters));
        }
    }

    /// <summary>Where a process is booked, following it where it has moved.</summary>
    internal ref Booking Open(int process, in ProcessRow row)
    {
        if (_bookings.Count <= process)
        {
            _bookings.Resize(process + 1);
        }

        ref Booking booking = ref _bookings[process];
        if (booking.ProcessPlusOne == 0 || booking.StartNanoseconds != row.StartNanoseconds)
        {
            booking = new Booking { ProcessPlusOne = Add(ConsumerKind.Process, null, process) + 1, StartNanoseconds = row.StartNanoseconds };
        }

        Follow(ref booking.CgroupPlusOne, ref booking.Cgroup, ConsumerKind.Cgroup, row.Cgroup);
        Follow(ref booking.ContainerPlusOne, ref booking.Container, ConsumerKind.Container, row.Container);
        Follow(ref booking.PodPlusOne, ref booking.Pod, ConsumerKind.Pod, row.PodUid);
        return ref booking;
    }

    internal void Book(in Booking booking, int meter, long active, long proportional)
    {
        Book(booking.ProcessPlusOne, meter, active, proportional);
        Book(booking.CgroupPlusOne, meter, active, proportional);
        Book(booking.ContainerPlusOne, meter, active, proportional);
        Book(booking.PodPlusOne, meter, active, proportional);
    }

    internal void Bound(in Booking booking, in BoundSample bounds)
    {
        Bound(booking.ProcessPlusOne, bounds);
        Bound(booking.CgroupPlusOne, bounds);
        Bound(booking.ContainerPlusOne, bounds);
        Bound(booking.PodPlusOne, bounds);
    }

    internal void Count(in Booking booking, long nanoseconds, in ThreadSample thread)
    {
        Count(booking.ProcessPlusOne, nanoseconds, thread);
        Count(booking.CgroupPlusOne, nanoseconds, thread);
        Count(booking.ContainerPlusOne, nanoseconds, thread);
        Count(booking.PodPlusOne, nanoseconds, thread);
    }

    /// <summary>Lets go of a process: what it used moves to the meters' departed.</summary>
    internal void Depart(int process, List<MeterColumn> meters)
    {
        if (_bookings.Count <= process || _bookings[process].ProcessPlusOne == 0)
        {
            return;
        }

        ref Booking booking = ref _bookings[process];
        int account = booking.ProcessPlusOne - 1;
        for (int meter = 0; meter < meters.Count; meter++)
        {
            meters[meter].Depart(_active[(account * _stride) + meter], _proportional[(account * _stride) + meter]);
        }

        Remove(account);
        Follow(ref booking.CgroupPlusOne, ref booking.Cgroup, ConsumerKind.Cgroup, null);
        Follow(ref booking.ContainerPlusOne, ref booking.Container, ConsumerKind.Container, null);
        Follow(ref booking.PodPlusOne, ref booking.Pod, ConsumerKind.Pod, null);
        booking = default;
    }

    internal ImmutableArray<ConsumerTotals> Take(ProcessTable processes, int meters)
    {
        ImmutableArray<ConsumerTotals>.Builder consumers = ImmutableArray.CreateBuilder<ConsumerTotals>(_accounts.Count - _free.Count);
        for (int index = 0; index < _accounts.Count; index++)
        {
            ref Account account = ref _accounts[index];
            if (!account.InUse)
            {
                continue;
            }

            ConsumerTotals totals = new()
            {
                Kind = account.Kind,
                Id = account.Id ?? "",
                Name = account.Id ?? "",
                Active = [.. _active.AsSpan(index * _stride, meters)],
                Proportional = [.. _proportional.AsSpan(index * _stride, meters)],
                Bounds = account.Bounds,
                CpuNanoseconds = account.CpuNanoseconds,
                Instructions = account.Counted ? account.Instructions : null,
                LlcMisses = account.Counted ? account.LlcMisses : null,
            };
            consumers.Add(account.Process >= 0 ? Describe(totals, processes[account.Process]) : totals);
        }

        return consumers.DrainToImmutable();
    }

    private static ConsumerTotals Describe(ConsumerTotals totals, in ProcessRow process) => totals with
    {
        Id = ProcessId(process),
        Name = process.Name,
        Pid = process.Pid,
        StartNanoseconds = process.StartNanoseconds,
        Cgroup = process.Cgroup,
        Container = process.Container,
        PodUid = process.PodUid,
        Ended = process.Ended,
        PssKibibytes = process.PssKibibytes >= 0 ? process.PssKibibytes : null,
    };

    private void Follow(ref int accountPlusOne, ref string? booked, ConsumerKind kind, string? id)
    {
        if (ReferenceEquals(booked, id) || booked == id)
        {
            return;
        }

        if (booked is not null)
        {
            ref Account left = ref _accounts[accountPlusOne - 1];
            if (--left.References == 0)
            {
                _ = _groups.Remove((kind, booked));
                Remove(accountPlusOne - 1);
            }
        }

        booked = id;
        accountPlusOne = 0;
        if (id is null)
        {
            return;
        }

        if (!_groups.TryGetValue((kind, id), out int account))
        {
            account = Add(kind, id, -1);
            _groups.Add((kind, id), account);
        }

        _accounts[account].References++;
        accountPlusOne = account + 1;
    }

    private int Add(ConsumerKind kind, string? id, int process)
    {
        if (!_free.TryPop(out int index))
        {
            index = _accounts.Count;
            _ = _accounts.Add();
            if (_active.Length < _accounts.Count * _stride)
            {
                Array.Resize(ref _active, Math.Max(_accounts.Count * _stride, _active.Length * 2));
                Array.Resize(ref _proportional, _active.Length);
            }
        }

        _accounts[index] = new Account { Kind = kind, Id = id, Process = process, InUse = true };
        return index;
    }

    private void Remove(int account)
    {
        _accounts[account] = default;
        _active.AsSpan(account * _stride, _stride).Clear();
        _proportional.AsSpan(account * _stride, _stride).Clear();
        _free.Push(account);
    }

    private void Book(int accountPlusOne, int meter, long active, long proportional)
    {
        if (accountPlusOne > 0)
        {
            int at = ((accountPlusOne - 1) * _stride) + meter;
            _active[at] += active;
            _proportional[at] += proportional;
        }
    }

    private void Bound(int accountPlusOne, in BoundSample bounds)
    {
        if (accountPlusOne > 0)
        {
            _accounts[accountPlusOne - 1].Bounds.Add(bounds);
        }
    }

    private void Count(int accountPlusOne, long nanoseconds, in ThreadSample thread)
    {
        if (accountPlusOne == 0)
        {
            return;
        }

        ref Account account = ref _accounts[accountPlusOne - 1];
        account.CpuNanoseconds += nanoseconds;
        if (thread.Instructions >= 0 && thread.LlcMisses >= 0)
        {
            account.Counted = true;
            account.Instructions += thread.Instructions;
            account.LlcMisses += thread.LlcMisses;
        }
    }
}
