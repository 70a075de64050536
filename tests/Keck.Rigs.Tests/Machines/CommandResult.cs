namespace Keck.Rigs.Tests;

/// <summary>What a command in a machine came to.</summary>
/// <param name="Command">The command, as a shell read it.</param>
/// <param name="ExitCode">0–255, as <c>$?</c>.</param>
/// <param name="Output">Standard output and standard error as they were written.</param>
internal sealed record CommandResult(string Command, int ExitCode, string Output)
{
    /// <summary>The output of a command that must succeed; throws with it when the command failed.</summary>
    internal string Succeeded() =>
        ExitCode == 0 ? Output : throw new RigException($"exit {ExitCode} of: {Command}\n{Output}");
}
