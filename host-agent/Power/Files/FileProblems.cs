using Keck.Metering;

namespace Keck.Power;

/// <summary>What a file's fault means for a meter, in words.</summary>
internal static class FileProblems
{
    /// <summary>The problem of a fault.</summary>
    /// <param name="fault">Any but <see cref="FileFault.None"/>.</param>
    /// <param name="path">The file.</param>
    /// <param name="deniedMend">What to do where it may not be read.</param>
    internal static MeterProblem Of(FileFault fault, string path, string deniedMend) => fault switch
    {
        FileFault.Missing => new(Absence.NotPresent, $"{path} is not there"),
        FileFault.Denied => new(Absence.NotPermitted, $"{path} may not be read by this process", deniedMend),
        FileFault.Empty => new(Absence.Malformed, $"{path} is empty"),
        FileFault.Sentinel => new(Absence.Malformed, $"{path} holds all ones or a negative number: the driver's word for 'no value'"),
        FileFault.Failed => new(Absence.Malformed, $"{path} cannot be read: the kernel reports an error", "see `dmesg` for the driver's words"),
        _ => new(Absence.Malformed, $"{path} holds no whole number"),
    };
}
