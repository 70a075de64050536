using System.CommandLine;

namespace Keck.Agent;

/// <summary>The version.</summary>
internal static class VersionCommand
{
    internal static Command Create(string program)
    {
        Command command = new("version", "print the version");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine($"{program} {AgentCore.Version}"));
        return command;
    }
}
