using System.CommandLine;
using System.Globalization;
using Keck.Agent;
using Keck.Bpf;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host;

/// <summary><c>keck-host doctor</c>: what was found, what is missing, and the one command that mends it.</summary>
internal static class DoctorCommand
{
    internal static Command Create()
    {
        Command command = new("doctor", "say what was found, what is missing and what mends it");
        SettingFlags settings = new(Settings.Table, command, "path.procfs", "path.sysfs", "path.rootfs", "estimate", "budget", "calibration", "listen", "socket", "state", "libvirt");
        command.SetAction(parsed => settings.Load(parsed) is HostOptions options ? Run(options, parsed.InvocationConfiguration.Output) : ExitCodes.Usage);
        return command;
    }

    private static int Run(HostOptions options, TextWriter output)
    {
        using MeterSet meters = MeterSet.Discover(options.Power, TimeProvider.System, NullLogger.Instance);
        output.WriteLine("Energy");
        foreach (SourceFinding finding in PowerDoctor.Examine(meters))
        {
            Line(output, finding.Ok, finding.Name, finding.Found, finding.Needs, finding.Mends.FirstOrDefault());
        }

        output.WriteLine();
        output.WriteLine("CPU time");
        foreach (CapabilityCheck check in RunSources.Examine(options, meters.Topology, Settings.Table.Program))
        {
            Line(output, check.Ok, check.Name, check.Found, null, check.Mend);
        }

        output.WriteLine();
        output.WriteLine("Service");
        foreach (CapabilityCheck check in ServiceDoctor.Examine(options))
        {
            Line(output, check.Ok, check.Name, check.Found, null, check.Mend);
        }

        output.WriteLine();
        output.WriteLine("Calibration");
        CalibrationFacts calibration = MachineCalibration.Load(options.Calibration, meters).Facts;
        Line(
            output, calibration.State == CalibrationState.Used, calibration.StateName,
            calibration.NotUsedBecause ?? (calibration.File is { } file ? $"{file}{(calibration.CreatedAt is { } made ? $" of {made:u}" : "")}, sha256 {calibration.Hash}" : "no machine profile: models go by priors"),
            calibration.State == CalibrationState.None && !CommissioningRun.PackageMeters(meters.Meters).Any() ? "a measured meter of the packages" : null,
            "keck-host calibrate --out /etc/keck/profile.json, then \"calibration\": \"/etc/keck/profile.json\" in /etc/keck/host.json");
        IdlePrior? known = IdlePriors.For(meters.Cpu);
        IdlePrior prior = known ?? IdlePrior.Generic;
        string unknown = known is null ? $"{(meters.Cpu.Name.Length > 0 ? $"'{meters.Cpu.Name}'" : "the CPU")} is in no generation of the table: " : "";
        Line(
            output, true, "idle prior",
            string.Create(CultureInfo.InvariantCulture, $"{unknown}{prior.IdleToFull:0.00} of full power ({prior.Least:0.00} to {prior.Most:0.00}) until the machine is seen idle or calibrated; {prior.Source}"),
            null, null);
        return ExitCodes.Ok;
    }

    private static void Line(TextWriter output, bool ok, string name, string found, string? needs, string? mend)
    {
        output.WriteLine($"  {(ok ? "ok  " : "--  ")}{name,-22} {found}{(needs is null || ok ? "" : $" (needs {needs})")}");
        if (!ok && !string.IsNullOrEmpty(mend))
        {
            output.WriteLine($"      {"",-22} mend: {mend}");
        }
    }
}
