using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Keck.Tests;
using Keck.Virt.Interop;

namespace Keck.Virt.Tests;

/// <summary>Our constants and the mirrored struct against libvirt's headers, by the C compiler.</summary>
public sealed class LibvirtLayoutTests
{
    [Fact]
    public async Task Constants_AgainstTheHeaders_AreTheSame()
    {
        Assert.SkipUnless(File.Exists("/usr/include/libvirt/libvirt.h"), "no libvirt headers on this machine (libvirt-dev)");
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "no C compiler on this machine (gcc)");
        StringBuilder text = new();
        foreach ((string name, long value) in new (string, long)[]
        {
            ("VIR_UUID_BUFLEN", LibVirt.UuidSize),
            ("VIR_DOMAIN_EVENT_ID_LIFECYCLE", LibVirt.EventLifecycle),
            ("VIR_DOMAIN_EVENT_ID_METADATA_CHANGE", LibVirt.EventMetadataChange),
            ("VIR_DOMAIN_RUNNING", LibVirt.StateRunning),
            ("VIR_DOMAIN_BLOCKED", LibVirt.StateBlocked),
            ("VIR_DOMAIN_PAUSED", LibVirt.StatePaused),
            ("VIR_DOMAIN_SHUTDOWN", LibVirt.StateShutdown),
            ("VIR_DOMAIN_SHUTOFF", LibVirt.StateShutoff),
            ("VIR_DOMAIN_CRASHED", LibVirt.StateCrashed),
            ("VIR_DOMAIN_PMSUSPENDED", LibVirt.StatePowerSuspended),
            ("VIR_ERR_NO_DOMAIN", LibVirt.ErrorNoDomain),
            ("VIR_ERR_OPERATION_DENIED", LibVirt.ErrorOperationDenied),
            ("VIR_ERR_AUTH_FAILED", LibVirt.ErrorAuthFailed),
            ("VIR_ERR_AUTH_UNAVAILABLE", LibVirt.ErrorAuthUnavailable),
            ("VIR_DOMAIN_STATS_CPU_TOTAL", LibVirt.StatsCpuTotal),
            ("VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT", LibVirt.StatsNoWait),
            ("VIR_DOMAIN_EVENT_DEFINED", (long)DomainEventKind.Defined),
            ("VIR_DOMAIN_EVENT_UNDEFINED", (long)DomainEventKind.Undefined),
            ("VIR_DOMAIN_EVENT_STARTED", (long)DomainEventKind.Started),
            ("VIR_DOMAIN_EVENT_SUSPENDED", (long)DomainEventKind.Suspended),
            ("VIR_DOMAIN_EVENT_RESUMED", (long)DomainEventKind.Resumed),
            ("VIR_DOMAIN_EVENT_STOPPED", (long)DomainEventKind.Stopped),
            ("VIR_DOMAIN_EVENT_SHUTDOWN", (long)DomainEventKind.Shutdown),
            ("VIR_DOMAIN_EVENT_PMSUSPENDED", (long)DomainEventKind.PowerSuspended),
            ("VIR_DOMAIN_EVENT_CRASHED", (long)DomainEventKind.Crashed),
            ("VIR_DOMAIN_EVENT_STARTED_MIGRATED", MachineEvent.Migrated),
            ("VIR_DOMAIN_EVENT_STOPPED_MIGRATED", MachineEvent.MigratedAway),
        })
        {
            _ = text.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert({name} == {value}, \"{name}\");");
        }

        StatsRecord record = default;
        _ = text.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(sizeof(struct _virDomainStatsRecord) == {Unsafe.SizeOf<StatsRecord>()}, \"record\");");
        Offset(text, ref record, ref record.Domain, "dom");
        Offset(text, ref record, ref record.Parameters, "params");
        Offset(text, ref record, ref record.Count, "nparams");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("keck-layout-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "mirrors.h"), text.ToString(), TestContext.Current.CancellationToken);
            string[] arguments = ["-fsyntax-only", "-Wall", "-Werror", "-I", folder.FullName, Repository.PathOf("tests", "Keck.Virt.Tests", "Native", "layout.c")];
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
            string errors = await gcc.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await gcc.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(gcc.ExitCode == 0, errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Offset<TField>(StringBuilder text, ref StatsRecord record, ref TField field, string member) => text.AppendLine(
        CultureInfo.InvariantCulture,
        $"_Static_assert(offsetof(struct _virDomainStatsRecord, {member}) == {(long)Unsafe.ByteOffset(ref Unsafe.As<StatsRecord, byte>(ref record), ref Unsafe.As<TField, byte>(ref field))}, \"{member}\");");
}
