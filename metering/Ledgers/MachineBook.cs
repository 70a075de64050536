using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>What one vCPU used.</summary>
internal struct VcpuCell
{
    internal long Microjoules;
    internal long Nanoseconds;

    /// <summary>Time since the meters were last read, ns: a slow meter's energy of that span goes by it.</summary>
    internal long Pending;
}

/// <summary>
/// Machines by vCPU. A machine's vCPUs and its overhead add up to what its processes used of the meters that follow runs. Accounts
/// outlive their machines, so that counters go on when one is started again; the longest gone are let go beyond a limit.
/// </summary>
internal sealed class MachineBook
{
    internal const int MostGone = 1024;

    // A vCPU number comes from a thread's name: no machine has more.
    internal const int MostVcpus = 8192;

    private readonly Dictionary<string, MachineAccount> _accounts = new(StringComparer.Ordinal);
    private readonly List<MachineAccount?> _byIndex = [];
    private ulong[] _claims = [];
    private ulong[] _remainders = [];
    private long[] _parts = [];

    /// <summary>Accounts opened so far.</summary>
    internal long Series { get; private set; }

    internal IReadOnlyCollection<MachineAccount> Accounts => _accounts.Values;

    internal MachineAccount? Find(string uuid) => _accounts.GetValueOrDefault(uuid);

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("machineSeries"u8, Series);
        json.WriteStartArray("machines"u8);
        foreach (MachineAccount account in _accounts.Values)
        {
            json.WriteStartObject();
            json.WriteString("uuid"u8, account.Uuid);
            TraceHeaderWriter.Text(json, "name"u8, account.Name);
            json.WriteNumber("series"u8, account.Series);
            json.WriteNumber("overheadMicrojoules"u8, account.Overhead);
            json.WriteStartArray("vcpuMicrojoules"u8);
            foreach (ref VcpuCell cell in account.Vcpus.Items)
            {
                json.WriteNumberValue(cell.Microjoules);
            }

            json.WriteEndArray();
            json.WriteStartArray("vcpuNanoseconds"u8);
            foreach (ref VcpuCell cell in account.Vcpus.Items)
            {
                json.WriteNumberValue(cell.Nanoseconds);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    internal void Read(JsonElement element)
    {
        Series = LedgerState.Amount(element, "machineSeries"u8);
        foreach (JsonElement item in LedgerState.Items(element, "machines"u8))
        {
            TraceFields.RequireObject(item, "a machine");
            MachineAccount account = new(TraceFields.Text(item, "uuid"u8), LedgerState.Amount(item, "series"u8))
            {
                Name = TraceFields.TextOrNull(item, "name"u8),
                Overhead = LedgerState.Amount(item, "overheadMicrojoules"u8),
            };
            ImmutableArray<long> energies = LedgerState.Numbers(item, "vcpuMicrojoules"u8), times = LedgerState.Numbers(item, "vcpuNanoseconds"u8);
            if (energies.Length != times.Length || energies.Length > MostVcpus || !_accounts.TryAdd(account.Uuid, account))
            {
                throw new TraceFormatException($"machine {TraceFields.Shorten(account.Uuid)}: its vCPUs do not match, or it is there twice");
            }

            for (int vcpu = 0; vcpu < energies.Length; vcpu++)
            {
                account.Vcpus.Add() = new VcpuCell { Microjoules = energies[vcpu], Nanoseconds = times[vcpu] };
            }
        }
    }

    /// <summary>The account of a machine of the observation's table, opened if new; null for an index that is free.</summary>
    internal MachineAccount? Of(MachineTable machines, int index)
    {
        if (machines.At(index) is not { } machine)
        {
            return null;
        }

        while (_byIndex.Count <= index)
        {
            _byIndex.Add(null);
        }

        if (_byIndex[index] is { } known && ReferenceEquals(known.Uuid, machine.Uuid))
        {
            return known;
        }

        if (!_accounts.TryGetValue(machine.Uuid, out MachineAccount? account))
        {
            account = new MachineAccount(machine.Uuid, ++Series);
            _accounts.Add(machine.Uuid, account);
        }

        _byIndex[index] = account;
        return account;
    }

    /// <summary>Takes note of which machines there are; returns those let go, whose other energies are the caller's to move.</summary>
    internal ImmutableArray<string> Follow(MachineTable machines, long tick)
    {
        foreach (int index in machines.InOrder)
        {
            MachineAccount account = Of(machines, index)!;
            account.LastTick = tick;
            account.Name = machines[index].Name ?? account.Name;
        }

        if (_accounts.Count - machines.Count <= MostGone)
        {
            return [];
        }

        ImmutableArray<string> gone =
        [
            .. _accounts.Values.Where(account => account.LastTick < tick).OrderBy(account => account.LastTick).ThenBy(account => account.Series)
                .Take(_accounts.Count - machines.Count - MostGone).Select(account => account.Uuid),
        ];
        foreach (string uuid in gone)
        {
            _ = _accounts.Remove(uuid);
        }

        return gone;
    }

    /// <summary>Books a vCPU thread's tick; its energy is part of what its process is booked with.</summary>
    internal static void AddVcpu(MachineAccount account, int vcpu, long microjoules, long nanoseconds, bool read)
    {
        if (unchecked((uint)vcpu) >= MostVcpus)
        {
            return;
        }

        if (account.Vcpus.Count <= vcpu)
        {
            account.Vcpus.Resize(vcpu + 1);
        }

        ref VcpuCell cell = ref account.Vcpus[vcpu];
        cell.Microjoules += microjoules;
        cell.Nanoseconds += nanoseconds;
        cell.Pending += read ? 0 : nanoseconds;
        account.Overhead -= microjoules;
    }

    /// <summary>Moves energy of earlier ticks from the overhead to the vCPUs, by the time each ran in them.</summary>
    internal void Spread(MachineAccount account, long microjoules)
    {
        int vcpus = account.Vcpus.Count;
        if (_claims.Length < vcpus + 1)
        {
            (_claims, _remainders, _parts) = (new ulong[vcpus + 16], new ulong[vcpus + 16], new long[vcpus + 16]);
        }

        Span<VcpuCell> cells = account.Vcpus.Items;
        for (int i = 0; i < vcpus; i++)
        {
            _claims[i] = (ulong)cells[i].Pending;
        }

        _claims[vcpus] = (ulong)account.OverheadPending;
        if (!IntegerSplit.Split(microjoules, _claims.AsSpan(0, vcpus + 1), _parts.AsSpan(0, vcpus + 1), _remainders.AsSpan(0, vcpus + 1)))
        {
            return;
        }

        for (int i = 0; i < vcpus; i++)
        {
            cells[i].Microjoules += _parts[i];
            account.Overhead -= _parts[i];
        }
    }

    /// <summary>The meters were read: what ran before has been paid for.</summary>
    internal void ClearPending(MachineTable machines)
    {
        foreach (int index in machines.InOrder)
        {
            MachineAccount account = Of(machines, index)!;
            account.OverheadPending = 0;
            foreach (ref VcpuCell cell in account.Vcpus.Items)
            {
                cell.Pending = 0;
            }
        }
    }
}
