using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>The accounts of all consumers. A process is booked on its own account and on those of the cgroup, container, pod and machine it is in at the time.</summary>
internal sealed class AccountBook
{
    private static readonly string[] Kinds = ["process", "cgroup", "container", "pod", "machine"];

    private readonly Column<Account> _accounts = new();
    private readonly Stack<int> _free = new();
    private readonly Column<Booking> _bookings = new();
    private readonly Dictionary<(ConsumerKind Kind, string Id), int> _groups = [];
    private AccountEnergy[] _energies = [];
    private int _stride;

    /// <summary>A process's identity in snapshots, such as <c>4711/812000000000</c>.</summary>
    internal static string ProcessId(in ProcessRow process) => string.Create(CultureInfo.InvariantCulture, $"{process.Pid}/{process.StartNanoseconds}");

    /// <summary>Whether a process's counters have ever been read.</summary>
    internal bool IsCounted(int process) => process < _bookings.Count && _bookings[process].ProcessPlusOne is var account and > 0 && _accounts[account - 1].Counted;

    /// <summary>Makes room for more meters.</summary>
    internal void Widen(int meters)
    {
        if (meters <= _stride)
        {
            return;
        }

        (AccountEnergy[] energies, int stride) = (_energies, _stride);
        _stride = meters;
        _energies = new AccountEnergy[Math.Max(16, _accounts.Count) * meters];
        for (int account = 0; account < _accounts.Count; account++)
        {
            energies.AsSpan(account * stride, stride).CopyTo(_energies.AsSpan(account * meters));
        }
    }

    /// <summary>Where a process is booked, following it where it has moved.</summary>
    private ref Booking Open(int process, in ProcessRow row, MachineTable machines)
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
        Follow(ref booking.MachinePlusOne, ref booking.Machine, ConsumerKind.Machine, row.Machine >= 0 ? machines.At(row.Machine)?.Uuid : null);
        return ref booking;
    }

    /// <summary>Books what a process used in a tick on its own account and on those of its groups.</summary>
    /// <param name="process">The process's row.</param>
    /// <param name="row">The process.</param>
    /// <param name="machines">The machines.</param>
    /// <param name="tick">What it owns; null where it owns nothing in this tick.</param>
    /// <param name="columnOf">Column of each of the tick's meters.</param>
    /// <param name="usage">What its threads used.</param>
    internal void Book(int process, in ProcessRow row, MachineTable machines, TickAttribution? tick, ReadOnlySpan<int> columnOf, in UsageSum usage)
    {
        ref Booking booking = ref Open(process, row, machines);
        Book(booking.ProcessPlusOne, process, tick, columnOf, usage);
        Book(booking.CgroupPlusOne, process, tick, columnOf, usage);
        Book(booking.ContainerPlusOne, process, tick, columnOf, usage);
        Book(booking.PodPlusOne, process, tick, columnOf, usage);
        Book(booking.MachinePlusOne, process, tick, columnOf, usage);
    }

    /// <summary>Books a machine's part of static energy, which no process of it has.</summary>
    internal void Allocate(string uuid, int column, long microjoules)
    {
        // Opening the account may move the energies: first the account, then the array.
        int account = GroupOf(ConsumerKind.Machine, uuid);
        _energies[(account * _stride) + column].Allocated += microjoules;
    }

    /// <summary>Lets go of a machine's account: what its size was charged for moves to the meters' departed.</summary>
    internal void ForgetMachine(string uuid, List<MeterColumn> meters)
    {
        if (!_groups.TryGetValue((ConsumerKind.Machine, uuid), out int account) || _accounts[account].References > 0)
        {
            return;
        }

        for (int meter = 0; meter < meters.Count; meter++)
        {
            meters[meter].DepartAllocated(_energies[(account * _stride) + meter].Allocated);
        }

        _ = _groups.Remove((ConsumerKind.Machine, uuid));
        Remove(account);
    }

    /// <summary>What a machine is booked with, by column; empty where it has no account.</summary>
    internal ReadOnlySpan<AccountEnergy> Machine(string uuid, out BoundSample bounds)
    {
        bounds = default;
        if (!_groups.TryGetValue((ConsumerKind.Machine, uuid), out int account))
        {
            return [];
        }

        bounds = _accounts[account].Bounds;
        return _energies.AsSpan(account * _stride, _stride);
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
        long active = TotalActive(account);
        for (int meter = 0; meter < meters.Count; meter++)
        {
            ref AccountEnergy energy = ref _energies[(account * _stride) + meter];
            meters[meter].Depart(energy.Active, energy.Proportional, energy.Active == 0 ? default : _accounts[account].Bounds.Part(energy.Active, active));
        }

        Remove(account);
        Follow(ref booking.CgroupPlusOne, ref booking.Cgroup, ConsumerKind.Cgroup, null);
        Follow(ref booking.ContainerPlusOne, ref booking.Container, ConsumerKind.Container, null);
        Follow(ref booking.PodPlusOne, ref booking.Pod, ConsumerKind.Pod, null);
        Follow(ref booking.MachinePlusOne, ref booking.Machine, ConsumerKind.Machine, null);
        booking = default;
    }

    /// <summary>What all processes hold, by meter.</summary>
    internal void Processes(Span<AccountEnergy> sums, Span<BoundSample> bounds)
    {
        for (int index = 0; index < _accounts.Count; index++)
        {
            if (_accounts[index] is not { InUse: true, Kind: ConsumerKind.Process })
            {
                continue;
            }

            long active = TotalActive(index);
            for (int meter = 0; meter < sums.Length; meter++)
            {
                ref AccountEnergy energy = ref _energies[(index * _stride) + meter];
                sums[meter].Active += energy.Active;
                sums[meter].Proportional += energy.Proportional;
                if (energy.Active != 0)
                {
                    bounds[meter].Add(_accounts[index].Bounds.Part(energy.Active, active));
                }
            }
        }
    }

    private long TotalActive(int account)
    {
        long sum = 0;
        foreach (ref readonly AccountEnergy energy in _energies.AsSpan(account * _stride, _stride))
        {
            sum += energy.Active;
        }

        return sum;
    }

    /// <summary>Writes the accounts of groups.</summary>
    internal void Write(Utf8JsonWriter json, int meters)
    {
        json.WriteStartArray("accounts"u8);
        for (int index = 0; index < _accounts.Count; index++)
        {
            ref Account account = ref _accounts[index];
            if (!account.InUse || account.Kind == ConsumerKind.Process)
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteString("kind"u8, Kinds[(int)account.Kind]);
            json.WriteString("id"u8, account.Id);
            json.WriteStartArray("energies"u8);
            foreach (ref AccountEnergy energy in _energies.AsSpan(index * _stride, meters))
            {
                json.WriteNumberValue(energy.Active);
                json.WriteNumberValue(energy.Proportional);
                json.WriteNumberValue(energy.Allocated);
            }

            json.WriteEndArray();
            LedgerState.Write(json, account.Bounds);
            json.WriteNumber("cpuNanoseconds"u8, account.CpuNanoseconds);
            if (account.Counted)
            {
                json.WriteNumber("instructions"u8, account.Instructions);
                json.WriteNumber("llcMisses"u8, account.LlcMisses);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Reads accounts of groups; nobody is in them yet.</summary>
    internal void Read(JsonElement element, int meters)
    {
        foreach (JsonElement item in LedgerState.Items(element, "accounts"u8))
        {
            TraceFields.RequireObject(item, "an account");
            string name = TraceFields.Text(item, "kind"u8), id = TraceFields.Text(item, "id"u8);
            ConsumerKind kind = Array.IndexOf(Kinds, name) is var index and > 0 ? (ConsumerKind)index : throw TraceFields.Unknown("kind", name, string.Join(", ", Kinds.Skip(1)));
            ImmutableArray<long> energies = LedgerState.Numbers(item, "energies"u8);
            if (energies.Length != meters * 3 || _groups.ContainsKey((kind, id)))
            {
                throw new TraceFormatException($"{name} {TraceFields.Shorten(id)}: its energies do not match the meters, or it is there twice");
            }

            int at = GroupOf(kind, id);
            ref Account account = ref _accounts[at];
            account.Bounds = LedgerState.ReadBounds(item);
            account.CpuNanoseconds = LedgerState.Amount(item, "cpuNanoseconds"u8);
            account.Counted = TraceFields.TryGet(item, "instructions"u8, out _);
            account.Instructions = LedgerState.Amount(item, "instructions"u8);
            account.LlcMisses = LedgerState.Amount(item, "llcMisses"u8);
            for (int meter = 0; meter < meters; meter++)
            {
                _energies[(at * _stride) + meter] = new AccountEnergy { Active = energies[meter * 3], Proportional = energies[(meter * 3) + 1], Allocated = energies[(meter * 3) + 2] };
            }
        }
    }

    /// <summary>Lets go of groups that were restored and nobody came back to.</summary>
    internal void Prune()
    {
        for (int index = 0; index < _accounts.Count; index++)
        {
            if (_accounts[index] is { InUse: true, References: 0, Kind: not (ConsumerKind.Process or ConsumerKind.Machine), Id: { } id } account)
            {
                _ = _groups.Remove((account.Kind, id));
                Remove(index);
            }
        }
    }

    internal ImmutableArray<ConsumerTotals> Take(Observation observation, int meters)
    {
        // What is known of a group's process: nothing.
        ProcessRow nobody = new() { Machine = -1, PssKibibytes = Unobserved.Value };
        ImmutableArray<ConsumerTotals>.Builder consumers = ImmutableArray.CreateBuilder<ConsumerTotals>(_accounts.Count - _free.Count);
        for (int index = 0; index < _accounts.Count; index++)
        {
            ref Account account = ref _accounts[index];
            if (!account.InUse)
            {
                continue;
            }

            ReadOnlySpan<AccountEnergy> energies = _energies.AsSpan(index * _stride, meters);
            ImmutableArray<long>.Builder active = ImmutableArray.CreateBuilder<long>(meters), proportional = ImmutableArray.CreateBuilder<long>(meters), allocated = ImmutableArray.CreateBuilder<long>(meters);
            foreach (ref readonly AccountEnergy energy in energies)
            {
                active.Add(energy.Active);
                proportional.Add(energy.Proportional);
                allocated.Add(energy.Allocated);
            }

            bool isProcess = account.Process >= 0;
            ref readonly ProcessRow process = ref isProcess ? ref observation.ProcessTable[account.Process] : ref nobody;
            consumers.Add(new ConsumerTotals
            {
                Kind = account.Kind,
                Id = isProcess ? ProcessId(process) : account.Id ?? "",
                Name = isProcess ? process.Name : NameOf(account, observation.Machines),
                Pid = process.Pid,
                StartNanoseconds = process.StartNanoseconds,
                Cgroup = process.Cgroup,
                Container = process.Container,
                PodUid = process.PodUid,
                Machine = observation.Machines.At(process.Machine)?.Uuid,
                Ended = process.Ended,
                PssKibibytes = process.PssKibibytes >= 0 ? process.PssKibibytes : null,
                Active = active.MoveToImmutable(),
                Proportional = proportional.MoveToImmutable(),
                Allocated = allocated.MoveToImmutable(),
                Bounds = account.Bounds,
                CpuNanoseconds = account.CpuNanoseconds,
                Instructions = account.Counted ? account.Instructions : null,
                LlcMisses = account.Counted ? account.LlcMisses : null,
            });
        }

        return consumers.DrainToImmutable();
    }

    private static string NameOf(in Account account, MachineTable machines) =>
        (account.Kind == ConsumerKind.Machine && account.Id is { } uuid ? machines.At(machines.Find(uuid))?.Name : null) ?? account.Id ?? "";

    private void Follow(ref int accountPlusOne, ref string? booked, ConsumerKind kind, string? id)
    {
        if (ReferenceEquals(booked, id) || booked == id)
        {
            return;
        }

        if (booked is not null)
        {
            ref Account left = ref _accounts[accountPlusOne - 1];
            if (--left.References == 0 && kind != ConsumerKind.Machine)
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

        int account = GroupOf(kind, id);
        _accounts[account].References++;
        accountPlusOne = account + 1;
    }

    private int GroupOf(ConsumerKind kind, string id)
    {
        if (!_groups.TryGetValue((kind, id), out int account))
        {
            account = Add(kind, id, -1);
            _groups.Add((kind, id), account);
        }

        return account;
    }

    private int Add(ConsumerKind kind, string? id, int process)
    {
        if (!_free.TryPop(out int index))
        {
            index = _accounts.Count;
            _ = _accounts.Add();
            if (_energies.Length < _accounts.Count * _stride)
            {
                Array.Resize(ref _energies, Math.Max(_accounts.Count * _stride, _energies.Length * 2));
            }
        }

        _accounts[index] = new Account { Kind = kind, Id = id, Process = process, InUse = true };
        return index;
    }

    private void Remove(int account)
    {
        _accounts[account] = default;
        _energies.AsSpan(account * _stride, _stride).Clear();
        _free.Push(account);
    }

    private void Book(int accountPlusOne, int process, TickAttribution? tick, ReadOnlySpan<int> columnOf, in UsageSum usage)
    {
        if (accountPlusOne == 0)
        {
            return;
        }

        int index = accountPlusOne - 1;
        ref Account account = ref _accounts[index];
        account.CpuNanoseconds += usage.Nanoseconds;
        account.Counted |= usage.Counted;
        account.Instructions += usage.Instructions;
        account.LlcMisses += usage.LlcMisses;
        if (tick is null)
        {
            return;
        }

        account.Bounds.Add(tick.Bounds(process));
        Span<AccountEnergy> energies = _energies.AsSpan(index * _stride, _stride);
        ReadOnlySpan<long> active = tick.Active(process), proportional = tick.Proportional(process);
        for (int k = 0; k < columnOf.Length; k++)
        {
            ref AccountEnergy energy = ref energies[columnOf[k]];
            energy.Active += active[k];
            energy.Proportional += proportional[k];
        }
    }
}
