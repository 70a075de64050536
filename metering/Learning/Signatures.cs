using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// Who is heavier or lighter than the model says. Each large consumer (a machine, or a process outside machines) has its own factor on the
/// model's weight, learned from what its going on and off does to the meters. Everything small shares one factor, and the kernel has one.
/// </summary>
internal sealed class Signatures
{
    /// <summary>Slots at most: learning costs the square of it.</summary>
    internal const int MostSlots = RestSlot + 63;

    /// <summary>The first slots are the meters' own: what a reading was late by, which the next one makes good.</summary>
    internal const int MeterSlots = 24;

    /// <summary>Then what all share: how this machine's coefficients differ from <see cref="GeneralModel"/>.</summary>
    internal const int CoefficientSlots = MeterSlots;

    /// <summary>And what each kind of work costs more than the model says.</summary>
    internal const int KindSlots = CoefficientSlots + PowerFeatures.Count;

    /// <summary>Slot of kernel threads and interrupts: the first that is somebody's.</summary>
    internal const int SystemSlot = KindSlots + WorkKind.Count;

    /// <summary>Slot of all who have none of their own, and of what is unattributed.</summary>
    internal const int RestSlot = SystemSlot + 1;

    /// <summary>How many slots all share.</summary>
    internal const int SharedSlots = SystemSlot - CoefficientSlots;

    // Who has a smaller part of a meter than this has no slot of its own: nothing could be learned of it.
    private const double LeastShare = 0.003;

    private const double ShareSeconds = 5;

    // How far work that a profile has never met is from its model, one standard deviation.
    private const double NovelDeviation = 0.25;

    private readonly SignatureSlot[] _slots = new SignatureSlot[MostSlots];
    private readonly SignatureDomain[] _domains;
    private readonly Column<RowSlot> _slotOfRow = new();

    // By slot: what it had of each shared slot in this tick, and what it weighed.
    private readonly double[] _profiles = new double[MostSlots * SharedSlots];
    private readonly double[] _plains = new double[MostSlots];
    private readonly double[] _novelties = new double[MostSlots];
    private bool _profiled;
    private Observation? _observation;

    /// <param name="kindDeviation">How far a kind of work is from the model, while nothing is known of it.</param>
    /// <param name="memoryKindDeviation">The same of memory's energy.</param>
    internal Signatures(double kindDeviation, double memoryKindDeviation)
    {
        _domains = [new(MostSlots, kindDeviation), new(MostSlots, memoryKindDeviation)];
        Used = RestSlot + 1;
        _slots[SystemSlot].InUse = _slots[RestSlot].InUse = true;
    }

    /// <summary>Slots in use are below this.</summary>
    internal int Used
    {
        get;
        private set
        {
            field = value;
            foreach (SignatureDomain domain in _domains)
            {
                domain.Filter.Used = value;
            }
        }
    }

    /// <summary>What has been learned of meters that follow runs, or of memory's.</summary>
    internal SignatureDomain Domain(bool memory) => _domains[memory ? 1 : 0];

    /// <summary>All of it; set to resume.</summary>
    internal SignatureState State
    {
        get
        {
            ImmutableArray<SignatureSlotState>.Builder slots = ImmutableArray.CreateBuilder<SignatureSlotState>(Used);
            for (int slot = 0; slot < Used; slot++)
            {
                ref SignatureSlot signature = ref _slots[slot];
                ImmutableArray<SignatureRow>.Builder rows = ImmutableArray.CreateBuilder<SignatureRow>();
                if (slot > RestSlot && signature.InUse)
                {
                    rows.Add(new SignatureRow(signature.Row, signature.Pid, signature.StartNanoseconds));
                    for (int row = 0; row < _slotOfRow.Count; row++)
                    {
                        if (_slotOfRow[row].Slot == slot && _slotOfRow[row].Generation == signature.Generation)
                        {
                            rows.Add(new SignatureRow(row, 0, _slotOfRow[row].StartNanoseconds));
                        }
                    }
                }

                slots.Add(new SignatureSlotState(
                    signature.Machine, rows.ToImmutable(), signature.Share, signature.Behaviour.Ipc, signature.Behaviour.MissRate, signature.Behaviour.OtherSeconds, signature.Amount,
                    signature.Behaviour.Pending.Instructions, signature.Behaviour.Pending.Cycles, signature.Behaviour.Pending.Misses, signature.Fresh));
            }

            return new SignatureState(slots.ToImmutable(), [.. _domains.Select(domain => domain.State)]);
        }
        set
        {
            for (int slot = 0; slot < value.Slots.Length && slot < MostSlots; slot++)
            {
                SignatureSlotState state = value.Slots[slot];
                ref SignatureSlot signature = ref _slots[slot];
                bool named = state.Rows.Length > 0;
                signature = new SignatureSlot
                {
                    InUse = named || slot <= RestSlot,
                    Generation = signature.Generation + 1,
                    Machine = state.Machine,
                    MachineIndex = -1,
                    Row = named ? state.Rows[0].Row : 0,
                    Pid = named ? state.Rows[0].Pid : 0,
                    StartNanoseconds = named ? state.Rows[0].StartNanoseconds : 0,
                    Share = state.Share,
                    Fresh = state.Fresh,
                    Amount = state.Amount,
                    Behaviour = new Behaviour { Ipc = state.Ipc, MissRate = state.MissRate, OtherSeconds = state.OtherSeconds, Pending = (state.Instructions, state.Cycles, state.Misses) },
                };
                // The first says who it is; that process may have gone since, and its row be another's.
                foreach (SignatureRow row in state.Rows.Skip(1))
                {
                    _slotOfRow.Resize(Math.Max(_slotOfRow.Count, row.Row + 1));
                    _slotOfRow[row.Row] = new RowSlot { Slot = slot, Generation = signature.Generation, StartNanoseconds = row.StartNanoseconds };
                }
            }

            Used = Math.Max(RestSlot + 1, Math.Min(value.Slots.Length, MostSlots));
            for (int i = 0; i < _domains.Length && i < value.Domains.Length; i++)
            {
                _domains[i].State = value.Domains[i];
            }
        }
    }

    /// <summary>Starts a tick: who has gone loses its slot, and what is known ages.</summary>
    internal void Begin(Observation observation)
    {
        _observation = observation;
        _profiles.AsSpan().Clear();
        _plains.AsSpan().Clear();
        _novelties.AsSpan().Clear();
        _profiled = false;
        double seconds = observation.Length.Seconds;
        for (int slot = RestSlot + 1; slot < Used; slot++)
        {
            ref SignatureSlot signature = ref _slots[slot];
            if (signature is { Machine: { } uuid, MachineIndex: < 0 })
            {
                signature.MachineIndex = observation.Machines.Find(uuid);
            }

            if (signature.InUse && !signature.IsHere(observation))
            {
                Release(slot);
            }
            else if (signature.InUse && signature.Behaviour.Close(seconds))
            {
                signature.Fresh = true;
                foreach (SignatureDomain domain in _domains)
                {
                    domain.Filter.Forget(slot);
                }
            }
        }

        double total = 0;
        for (int slot = SystemSlot; slot < Used; slot++)
        {
            total += _slots[slot].Amount;
        }

        for (int slot = SystemSlot; slot < Used && total > 0; slot++)
        {
            ref SignatureSlot signature = ref _slots[slot];
            signature.Share += ((signature.Amount / total) - signature.Share) * Math.Min(1, seconds / ShareSeconds);
            signature.Amount = 0;
        }

        foreach (SignatureDomain domain in _domains)
        {
            domain.Begin(seconds);
        }
    }

    /// <summary>The slot of an owner.</summary>
    internal int SlotOf(int owner)
    {
        if (owner < 0)
        {
            return owner == Leaf.SystemOwner ? SystemSlot : RestSlot;
        }

        if (owner >= _slotOfRow.Count || _slotOfRow[owner].Slot == 0)
        {
            return RestSlot;
        }

        ref RowSlot known = ref _slotOfRow[owner];
        if (known.StartNanoseconds != _observation!.ProcessTable[owner].StartNanoseconds || known.Generation != _slots[known.Slot].Generation)
        {
            known = default;
            return RestSlot;
        }

        return known.Slot;
    }

    /// <summary>What the kinds of work cost more than the model says.</summary>
    internal ReadOnlySpan<double> Kinds(bool memory) => Domain(memory).Filter.Factors.AsSpan(KindSlots, WorkKind.Count);

    /// <summary>How this machine's coefficients differ from <see cref="GeneralModel"/>.</summary>
    internal ReadOnlySpan<double> Coefficients => Domain(memory: false).Filter.Factors.AsSpan(CoefficientSlots, PowerFeatures.Count);

    /// <summary>What an owner's weight is multiplied by.</summary>
    internal double Factor(int owner, bool memory) => Domain(memory).Filter.Factors[SlotOf(owner)];

    /// <summary>Standard deviation of an owner's part of the meter learned from last, relative to the part.</summary>
    internal double Deviation(int owner, bool memory)
    {
        int slot = SlotOf(owner);
        return slot == RestSlot ? Domain(memory).Filter.PriorDeviation : Math.Sqrt(Domain(memory).PartVariances[slot]);
    }

    /// <summary>Takes note of what a thread did, so that a change of its consumer's ways is seen.</summary>
    internal void Note(int slot, in ThreadSample thread)
    {
        if (slot > RestSlot && thread.Cycles > 0 && thread.Instructions >= 0)
        {
            _slots[slot].Behaviour.Add(thread.Instructions, thread.Cycles, thread.LlcMisses);
        }
    }

    /// <summary>Adds what a consumer's thread had of the features of the general model.</summary>
    internal Span<double> FeaturesOf(int slot) => _profiles.AsSpan(slot * SharedSlots, PowerFeatures.Count);

    /// <summary>Adds what a consumer's thread weighed, and of which kind of work it was.</summary>
    internal void AddWork(int slot, in WorkKind kind, double plain, double novelty)
    {
        _plains[slot] += plain;
        _novelties[slot] += plain * novelty;
        kind.AddTo(_profiles.AsSpan((slot * SharedSlots) + PowerFeatures.Count, WorkKind.Count), plain);
    }

    // By slot, for each unit of weight. Made once a tick.
    private ReadOnlySpan<double> Profiles()
    {
        for (int slot = SystemSlot; slot < Used && !_profiled; slot++)
        {
            double each = _plains[slot] > 0 ? 1 / _plains[slot] : 0;
            if (_slots[slot].Fresh && each > 0)
            {
                // Of work that no commissioning run has met a profile knows little.
                Domain(memory: false).Filter.Doubt(slot, _novelties[slot] * each * NovelDeviation);
                _slots[slot].Fresh = false;
            }

            foreach (ref double amount in _profiles.AsSpan(slot * SharedSlots, SharedSlots))
            {
                amount *= each;
            }
        }

        _profiled = true;
        return _profiles;
    }

    /// <summary>Learns from a meter's tick, and tells how sure each owner's part of it is.</summary>
    /// <param name="owners">Who shared in it.</param>
    /// <param name="shared">By shared slot: what all of them had of each feature, and of each kind of work.</param>
    /// <param name="memory">Whether the meter is of memory.</param>
    /// <param name="meter">Which one.</param>
    /// <param name="model">By which model the weights are.</param>
    /// <param name="active">The active energy, µJ.</param>
    /// <param name="noise">What it is off by; infinite where nothing may be learned from it.</param>
    internal void Learn(OwnerSums owners, ReadOnlySpan<double> shared, bool memory, int meter, ModelKind model, double active, in LearningNoise noise)
    {
        SignatureDomain domain = Domain(memory);
        Span<double> amounts = domain.Amounts;
        amounts.Clear();
        double sum = 0;
        foreach (ref OwnerSum owner in owners.Items)
        {
            sum += owner.Weight;
        }

        if (!(sum > 0))
        {
            return;
        }

        foreach (ref OwnerSum owner in owners.Items)
        {
            int slot = SlotOf(owner.Owner);
            if (slot == RestSlot && owner.Owner >= 0 && owner.Weight > sum * LeastShare)
            {
                slot = Promote(owner.Owner, owner.Weight / sum);
            }

            amounts[slot] += owner.Plain;
            if (!memory)
            {
                _slots[slot].Amount += owner.Plain;
            }
        }

        shared.CopyTo(amounts[CoefficientSlots..]);
        domain.Learn(meter, model, active, noise, memory ? default : Profiles());
    }

    // Gives a consumer a slot of its own, if need be that of one who has become much smaller.
    private int Promote(int row, double share)
    {
        ref ProcessRow process = ref _observation!.ProcessTable[row];
        int slot = -1, least = -1;
        for (int at = RestSlot + 1; at < MostSlots && slot < 0; at++)
        {
            ref SignatureSlot other = ref _slots[at];
            if (other.InUse && other.Machine is not null && process.Machine >= 0 && other.Machine == _observation.Machines.At(process.Machine)?.Uuid)
            {
                slot = at;
            }
        }

        for (int at = RestSlot + 1; at < MostSlots && slot < 0; at++)
        {
            if (!_slots[at].InUse)
            {
                slot = at;
            }
            else if (least < 0 || _slots[at].Share < _slots[least].Share)
            {
                least = at;
            }
        }

        if (slot < 0)
        {
            if (_slots[least].Share > share / 2)
            {
                return RestSlot;
            }

            Release(least);
            slot = least;
        }

        ref SignatureSlot taken = ref _slots[slot];
        if (!taken.InUse)
        {
            string? machine = _observation.Machines.At(process.Machine)?.Uuid;
            taken = new SignatureSlot
            {
                InUse = true,
                Fresh = true,
                Generation = taken.Generation + 1,
                Machine = machine,
                MachineIndex = machine is null ? -1 : process.Machine,
                Row = row,
                Pid = process.Pid,
                StartNanoseconds = process.StartNanoseconds,
                Share = share,
            };
            Used = Math.Max(Used, slot + 1);
            foreach (SignatureDomain domain in _domains)
            {
                domain.Filter.Forget(slot);
            }
        }

        if (_slotOfRow.Count <= row)
        {
            _slotOfRow.Resize(_observation.ProcessTable.Rows.Length);
        }

        _slotOfRow[row] = new RowSlot { Slot = slot, Generation = taken.Generation, StartNanoseconds = process.StartNanoseconds };
        return slot;
    }

    private void Release(int slot)
    {
        _slots[slot] = new SignatureSlot { Generation = _slots[slot].Generation + 1 };
        _profiles.AsSpan(slot * SharedSlots, SharedSlots).Clear();
        (_plains[slot], _novelties[slot]) = (0, 0);
        foreach (SignatureDomain domain in _domains)
        {
            domain.Filter.Forget(slot);
            domain.Amounts[slot] = 0;
        }

        while (Used > RestSlot + 1 && !_slots[Used - 1].InUse)
        {
            Used--;
        }
    }

    private struct RowSlot
    {
        internal int Slot;
        internal int Generation;
        internal long StartNanoseconds;
    }
}
