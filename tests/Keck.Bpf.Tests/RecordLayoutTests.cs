using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Keck.Bpf.Interop;
using Keck.Tests;

namespace Keck.Bpf.Tests;

/// <summary>Our mirrors of C structures against the C compiler.</summary>
public sealed class RecordLayoutTests
{
    private readonly StringBuilder _mirrors = new();

    [Fact]
    public void Records_AgainstTheHeaders_SameSizesAndOffsets()
    {
        SlotRecord slot = default;
        Size<SlotRecord>("struct keck_slot");
        Offset(ref slot, ref slot.State, "struct keck_slot", "state");
        Offset(ref slot, ref slot.Seq, "struct keck_slot", "seq");
        Offset(ref slot, ref slot.Next, "struct keck_slot", "next");
        Offset(ref slot, ref slot.ChainStamp, "struct keck_slot", "chain_stamp");
        Offset(ref slot, ref slot.Home, "struct keck_slot", "home");
        Offset(ref slot, ref slot.Cpu, "struct keck_slot", "cpu");
        Offset(ref slot, ref slot.Entries, "struct keck_slot", "entries");
        EntryRecord entry = default;
        Size<EntryRecord>("struct keck_entry");
        Offset(ref entry, ref entry.Weighted, "struct keck_entry", "weighted");
        Offset(ref entry, ref entry.SharedNanoseconds, "struct keck_entry", "shared_ns");
        Offset(ref entry, ref entry.CpuPlusOne, "struct keck_entry", "cpu");
        Offset(ref entry, ref entry.Stamp, "struct keck_entry", "stamp");
        MetaRecord meta = default;
        Size<MetaRecord>("struct keck_meta");
        Offset(ref meta, ref meta.LeaderStartNanoseconds, "struct keck_meta", "leader_start_ns");
        Offset(ref meta, ref meta.CgroupId, "struct keck_meta", "cgroup_id");
        Offset(ref meta, ref meta.Tid, "struct keck_meta", "tid");
        Offset(ref meta, ref meta.ThreadGroup, "struct keck_meta", "tgid");
        Offset(ref meta, ref meta.Flags, "struct keck_meta", "flags");
        Offset(ref meta, ref meta.Generation, "struct keck_meta", "generation");
        Offset(ref meta, ref meta.Comm, "struct keck_meta", "comm");
        CpuRecord cpu = default;
        Size<CpuRecord>("struct keck_cpu");
        Offset(ref cpu, ref cpu.Clock, "struct keck_cpu", "clock");
        Offset(ref cpu, ref cpu.TaskClock, "struct keck_cpu", "task_clock");
        Offset(ref cpu, ref cpu.Offset, "struct keck_cpu", "offset");
        Offset(ref cpu, ref cpu.IdleNanoseconds, "struct keck_cpu", "idle_ns");
        Offset(ref cpu, ref cpu.LostNanoseconds, "struct keck_cpu", "lost_ns");
        Offset(ref cpu, ref cpu.BusyNanoseconds, "struct keck_cpu", "busy_ns");
        Offset(ref cpu, ref cpu.Switches, "struct keck_cpu", "switches");
        Offset(ref cpu, ref cpu.Missed, "struct keck_cpu", "missed");
        Offset(ref cpu, ref cpu.SiblingMark, "struct keck_cpu", "sibling_mark");
        Offset(ref cpu, ref cpu.Slot, "struct keck_cpu", "slot");
        Offset(ref cpu, ref cpu.Megahertz, "struct keck_cpu", "mhz");
        Offset(ref cpu, ref cpu.SiblingPlusOne, "struct keck_cpu", "sibling");
        Offset(ref cpu, ref cpu.On, "struct keck_cpu", "on");
        GlobalsRecord globals = default;
        Size<GlobalsRecord>("struct keck_globals");
        Offset(ref globals, ref globals.Tail, "struct keck_globals", "tail");
        Offset(ref globals, ref globals.Head, "struct keck_globals", "head");
        Offset(ref globals, ref globals.Exhausted, "struct keck_globals", "exhausted");
        Offset(ref globals, ref globals.LateDeaths, "struct keck_globals", "late_deaths");
        Size<CounterRecord>("struct keck_counters");
        SettingsRecord settings = default;
        Size<SettingsRecord>("struct keck_settings");
        Offset(ref settings, ref settings.RingMask, "struct keck_settings", "ring_mask");
        Offset(ref settings, ref settings.Entries, "struct keck_settings", "entries");
        TestRunOptions test = default;
        Size<TestRunOptions>("struct bpf_test_run_opts");
        Offset(ref test, ref test.Flags, "struct bpf_test_run_opts", "flags");
        Offset(ref test, ref test.Cpu, "struct bpf_test_run_opts", "cpu");
        PerfEventAttribute perf = default;
        Offset(ref perf, ref perf.Config, "struct perf_event_attr", "config");
        Offset(ref perf, ref perf.Config1, "struct perf_event_attr", "config1");
        Size<Timespec>("struct timespec");
        _mirrors.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(PERF_ATTR_SIZE_VER0 == {Unsafe.SizeOf<PerfEventAttribute>()}, \"perf\");");
        _mirrors.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(KECK_LIVE == {(int)SlotState.Live} && KECK_DEAD == {(int)SlotState.Dead} && KECK_DETACHED == {(int)SlotState.Detached}, \"states\");");

        DirectoryInfo folder = Directory.CreateTempSubdirectory("keck-layout-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "mirrors.h"), _mirrors.ToString());
            (int code, string text) = NativeProgram.Gcc(
                "-fsyntax-only", "-I", folder.FullName, "-I", Repository.PathOf("host-agent", "Bpf", "kernel"), Repository.PathOf("tests", "Keck.Bpf.Tests", "Native", "layout.c"));
            Assert.True(code == 0, text);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Size<T>(string type)
        where T : struct => _mirrors.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(sizeof({type}) == {Unsafe.SizeOf<T>()}, \"{type}\");");

    private void Offset<T, TField>(ref T record, ref TField field, string type, string member)
        where T : struct =>
        _mirrors.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(offsetof({type}, {member}) == {(long)Unsafe.ByteOffset(ref Unsafe.As<T, byte>(ref record), ref Unsafe.As<TField, byte>(ref field))}, \"{type}.{member}\");");
}
