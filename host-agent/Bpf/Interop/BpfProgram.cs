using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>The accounting programs, loaded and attached, and the memory they share with us.</summary>
internal sealed unsafe class BpfProgram : AccountingMemory
{
    private static readonly string[] Attached = ["on_free", "on_rename", "on_exec", "on_switch"];

    private readonly SafeBpfObject _object;
    private readonly List<SafeBpfLink> _links = [];
    private readonly List<SafeMapping> _mappings = [];
    private readonly List<SafeDescriptor> _events = [];
    private readonly BpfLayout _layout;
    private readonly SafeMapping _cpus;
    private readonly SafeMapping _slots;
    private readonly SafeMapping _metas;
    private readonly SafeMapping _ring;
    private readonly SafeMapping _globals;
    private readonly SafeMapping _counters;
    private readonly int _flush;
    private readonly int _look;

    private BpfProgram(SafeBpfObject obj, BpfLayout layout)
    {
        _object = obj;
        _layout = layout;
        try
        {
            Configure();
            int loaded = LibBpf.Load(Handle);
            if (loaded < 0)
            {
                throw new NativeException("bpf_object__load", -loaded);
            }

            _cpus = MapRecords<CpuRecord>("cpus", layout.Cpus);
            _slots = MapRecords<SlotRecord>("slots", layout.Slots);
            _metas = MapRecords<MetaRecord>("metas", layout.Slots);
            _ring = MapRecords<ulong>("ring", layout.Slots);
            _globals = MapRecords<GlobalsRecord>(".bss", 1);
            _counters = MapRecords<CounterRecord>("slot_counters", layout.Counters.Count > 0 ? layout.Slots : 1);
            _flush = LibBpf.ProgramDescriptor(Program("flush"));
            _look = LibBpf.ProgramDescriptor(Program("look"));
            MapBytes = ChargedBytes();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Kernel memory that the maps take, as the kernel charges it (<c>memlock</c> of their fdinfo), bytes.</summary>
    internal long MapBytes { get; }

    /// <inheritdoc/>
    internal override Span<CpuRecord> Cpus => _cpus.Records<CpuRecord>(_layout.Cpus);

    /// <inheritdoc/>
    internal override Span<SlotRecord> Slots => _slots.Records<SlotRecord>(_layout.Slots);

    /// <inheritdoc/>
    internal override Span<MetaRecord> Metas => _metas.Records<MetaRecord>(_layout.Slots);

    /// <inheritdoc/>
    internal override Span<ulong> Ring => _ring.Records<ulong>(_layout.Slots);

    /// <inheritdoc/>
    internal override Span<CounterRecord> Counters => _layout.Counters.Count > 0 ? _counters.Records<CounterRecord>(_layout.Slots) : [];

    /// <inheritdoc/>
    internal override int Events => _events.Count;

    /// <inheritdoc/>
    internal override (ulong Wanted, ulong Counted)? EventTimes(int index) => PerfEvent.ReadTimes(_events[index]);

    /// <inheritdoc/>
    internal override ref GlobalsRecord Globals => ref _globals.Records<GlobalsRecord>(1)[0];

    private nint Handle => _object.DangerousGetHandle();

    /// <summary>Loads the programs; throws <see cref="NativeException"/> where the kernel refuses them.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The program owns its object.")]
    internal static BpfProgram Load(BpfLayout layout)
    {
        LibBpf.CaptureText();
        _ = LibBpf.TakeText();
        using Stream stream = typeof(BpfProgram).Assembly.GetManifestResourceStream("accounting.bpf.o")
            ?? throw new InvalidOperationException("accounting.bpf.o is not embedded");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        nint obj;
        fixed (byte* first = bytes)
        {
            // SAFETY: libbpf copies the object; the bytes stay pinned for the call.
            obj = LibBpf.OpenMemory(first, (nuint)bytes.Length, 0);
        }

        return obj == 0
            ? throw new NativeException("bpf_object__open_mem", Marshal.GetLastPInvokeError())
            : new BpfProgram(new SafeBpfObject(obj), layout);
    }

    /// <summary>Attaches: from here on every switch is accounted. Siblings, frequencies and the ring are to be set before.</summary>
    internal void Attach()
    {
        OpenCounters();
        foreach (string name in Attached)
        {
            AttachOne(name);
        }

        if (_layout.FrequencyTracepoint)
        {
            AttachOne("on_frequency");
        }
    }

    /// <inheritdoc/>
    internal override long Now() => LibC.MonotonicNanoseconds();

    /// <inheritdoc/>
    internal override void Flush(int cpu)
    {
        TestRunOptions options = new() { Size = (nuint)sizeof(TestRunOptions), Flags = LibBpf.TestRunOnCpu, Cpu = (uint)cpu };
        // SAFETY: options lives on this stack frame for the call. A failure (CPU gone offline) leaves the slice provisional.
        _ = LibBpf.TestRun(_flush, &options);
    }

    /// <inheritdoc/>
    internal override void Look()
    {
        TestRunOptions options = new() { Size = (nuint)sizeof(TestRunOptions) };
        // SAFETY: options lives on this stack frame for the call. A failure leaves the counts as they were.
        _ = LibBpf.TestRun(_look, &options);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (SafeBpfLink link in _links)
        {
            link.Dispose();
        }

        foreach (SafeDescriptor descriptor in _events)
        {
            descriptor.Dispose();
        }

        foreach (SafeMapping mapping in _mappings)
        {
            mapping.Dispose();
        }

        _object.Dispose();
        base.Dispose();
    }

    private void Configure()
    {
        Resize("cpus", _layout.Cpus);
        Resize("slots", _layout.Slots);
        Resize("metas", _layout.Slots);
        Resize("ring", _layout.Slots);
        Resize("pids", _layout.Pids);
        bool counters = _layout.Counters.Count > 0;
        Resize("slot_counters", counters ? _layout.Slots : 1);
        Resize("cpu_counters", counters ? _layout.Cpus : 1);
        for (int i = 0; i < 3; i++)
        {
            Resize(EventsMap(i), counters ? _layout.Cpus : 1);
        }

        if (!_layout.FrequencyTracepoint)
        {
            _ = LibBpf.SetAutoload(Program("on_frequency"), false);
        }

        nuint size;
        // SAFETY: libbpf returns the section's buffer of `size` bytes, ours to write until the load.
        void* section = LibBpf.InitialValue(MapOf(".rodata"), &size);
        if (section is null || size < (nuint)sizeof(SettingsRecord))
        {
            throw new InvalidOperationException("accounting.bpf.o has no settings");
        }

        *(SettingsRecord*)section = new SettingsRecord
        {
            PidMask = (uint)_layout.Pids - 1,
            PidWayShift = (uint)BitOperations.Log2((uint)_layout.Pids) - 3,
            RingMask = (uint)_layout.Slots - 1,
            Smt = _layout.Smt ? 1u : 0,
            Weigh = _layout.FrequencyTracepoint ? 1u : 0,
            Counters = (uint)_layout.Counters.Count,
            Entries = (uint)_layout.Entries,
        };
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The program owns its events.")]
    private void OpenCounters()
    {
        for (int counter = 0; counter < _layout.Counters.Count; counter++)
        {
            int map = LibBpf.MapDescriptor(MapOf(EventsMap(counter)));
            for (uint cpu = 0; cpu < _layout.Cpus; cpu++)
            {
                if (PerfEvent.OpenTimed(_layout.Counters[counter].Type, _layout.Counters[counter].Config, (int)cpu) is not { } descriptor)
                {
                    continue; // Offline, or the event is not there: its counter stays at zero on this CPU.
                }

                _events.Add(descriptor);
                int value = (int)descriptor.DangerousGetHandle();
                // SAFETY: key and value are this frame's locals, 4 bytes each as the map declares.
                int updated = LibBpf.UpdateElement(map, &cpu, &value, 0);
                if (updated < 0)
                {
                    throw new NativeException("bpf_map_update_elem of a perf event", -updated);
                }
            }
        }
    }

    private void AttachOne(string name)
    {
        nint link = LibBpf.Attach(Program(name));
        if (link == 0)
        {
            throw new NativeException($"bpf_program__attach of {name}", Marshal.GetLastPInvokeError());
        }

        _links.Add(new SafeBpfLink(link));
    }

    private SafeMapping MapRecords<T>(string map, int count)
        where T : unmanaged
    {
        SafeMapping mapping = SafeMapping.Of(LibBpf.MapDescriptor(MapOf(map)), (long)count * Unsafe.SizeOf<T>());
        _mappings.Add(mapping);
        return mapping;
    }

    private void Resize(string map, int entries)
    {
        int set = LibBpf.SetMaxEntries(MapOf(map), (uint)entries);
        if (set < 0)
        {
            throw new NativeException($"bpf_map__set_max_entries of {map}", -set);
        }
    }

    private nint MapOf(string name) => LibBpf.FindMap(Handle, name) is var map and not 0 ? map : throw new InvalidOperationException($"accounting.bpf.o has no map {name}");

    private nint Program(string name) => LibBpf.FindProgram(Handle, name) is var program and not 0 ? program : throw new InvalidOperationException($"accounting.bpf.o has no program {name}");

    private static string EventsMap(int index) => string.Create(CultureInfo.InvariantCulture, $"events{index}");

    private long ChargedBytes()
    {
        long bytes = 0;
        foreach (string map in (ReadOnlySpan<string>)["cpus", "slots", "metas", "ring", ".bss", "slot_counters", "pids", "strays", "scratches", "cpu_counters", "events0", "events1", "events2", ".rodata"])
        {
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{LibBpf.MapDescriptor(MapOf(map))}")))
            {
                if (line.StartsWith("memlock:", StringComparison.Ordinal))
                {
                    bytes += long.Parse(line.AsSpan("memlock:".Length).Trim(), CultureInfo.InvariantCulture);
                }
            }
        }

        return bytes;
    }
}
