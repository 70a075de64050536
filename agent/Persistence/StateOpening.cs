using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Opens the state that the options name.</summary>
internal static partial class StateOpening
{
    private const string UnknownBoot = "unknown";

    /// <summary>Opens the state directory; where it cannot be had, says so once and does without.</summary>
    internal static StateKeeper? Open(AgentOptions options, TimeProvider time, ILogger logger)
    {
        if (options.State is not { } directory)
        {
            return null;
        }

        try
        {
            return StateKeeper.Open(directory, KernelFacts.BootId(options.ProcRoot) ?? UnknownBoot, time, logger);
        }
        catch (StateException e)
        {
            Log.NotKept(logger, e.Message);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4106, Level = LogLevel.Warning, Message = "Counters start at zero and are lost at the end: {Why}")]
        internal static partial void NotKept(ILogger logger, string why);
    }
}
