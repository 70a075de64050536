using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>The machine profile that was configured, if it is this machine's: one that is not is worse than none, and none keeps nobody from metering.</summary>
internal sealed partial class MachineCalibration
{
    private MachineCalibration(CalibrationFacts facts, MachineProfile? profile) => (Facts, Profile) = (facts, profile);

    /// <summary>What became of it.</summary>
    internal CalibrationFacts Facts { get; }

    /// <summary>The profile where it is used; else null.</summary>
    internal MachineProfile? Profile { get; }

    /// <summary>Reads the profile and holds it against the machine.</summary>
    internal static MachineCalibration Load(string? path, MeterSet machine)
    {
        if (path is null)
        {
            return new MachineCalibration(new CalibrationFacts(CalibrationState.None), null);
        }

        if (ProfileFiles.Read(new FileInfo(path), out MachineProfile? profile) is { } problem)
        {
            return new MachineCalibration(new CalibrationFacts(CalibrationState.Unreadable) { File = path, NotUsedBecause = problem }, null);
        }

        CalibrationFacts facts = new(CalibrationState.Used) { File = path, Hash = profile!.Hash, CreatedAt = profile.CreatedAt };
        return profile.Stale(Cpu(machine), machine.Topology) is { } stale
            ? new MachineCalibration(facts with { State = CalibrationState.Stale, NotUsedBecause = $"{path}: {stale}" }, null)
            : new MachineCalibration(facts, profile);
    }

    /// <summary>The machine's processor as traces and profiles tell it.</summary>
    internal static TraceCpu Cpu(MeterSet machine) => new(
        machine.Cpu.Vendor, machine.Cpu.Family, machine.Cpu.Model, machine.Cpu.Stepping, machine.Cpu.Microcode, machine.Cpu.Name);

    /// <summary>Says once what became of it.</summary>
    internal void Log(ILogger logger)
    {
        if (Facts.NotUsedBecause is { } why)
        {
            Messages.NotUsed(logger, why);
        }
        else if (Profile is not null)
        {
            Messages.Used(logger, Facts.File!, Profile.Hash);
        }
    }

    private static partial class Messages
    {
        [LoggerMessage(EventId = 5301, Level = LogLevel.Information, Message = "Calibrated by {File} (sha256 {Hash})")]
        internal static partial void Used(ILogger logger, string file, string hash);

        [LoggerMessage(EventId = 5302, Level = LogLevel.Warning, Message = "The figures are uncalibrated: {Why}. Calibrate again: keck-host calibrate")]
        internal static partial void NotUsed(ILogger logger, string why);
    }
}
