using System.CommandLine;

namespace Keck.Host;

/// <summary><c>keck-host version</c>.</summary>
internal static class VersionCommand
{
    internal static Command Create()
    {
        Command command = new("version", "print the version");
        command.SetAction(static parsed => parsed.InvocationConfiguration.Output.WriteLine($"keck-host {HostAgent.Version}"));
        return command;
    }
}
