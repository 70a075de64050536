using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>Says once that something cannot be read, and once that it can be again. Not for two threads at once.</summary>
internal sealed partial class FaultLog(ILogger logger)
{
    private readonly Dictionary<string, (Absence Reason, long Round)> _faults = [];
    private long _round = 1;

    /// <summary>Notes a fault; it is logged unless it was already there for the same reason.</summary>
    /// <param name="what">The kind of file, such as <c>the PSS of processes</c>: one message each.</param>
    /// <param name="reason">Why it could not be read.</param>
    /// <param name="where">The file.</param>
    /// <param name="remedy">What follows from it and what to do.</param>
    internal void Note(string what, Absence reason, string where, string remedy)
    {
        bool known = _faults.TryGetValue(what, out (Absence Reason, long Round) before) && before.Reason == reason;
        _faults[what] = (reason, _round);
        if (!known)
        {
            Log.Unreadable(logger, what, Words(reason), where, remedy);
        }
    }

    /// <summary>Ends a round over all files: what was not noted in it, is well again.</summary>
    internal void EndRound()
    {
        foreach ((string what, (Absence _, long round)) in _faults)
        {
            if (round != _round)
            {
                _ = _faults.Remove(what);
                Log.Readable(logger, what);
            }
        }

        _round++;
    }

    private static string Words(Absence reason) => reason switch
    {
        Absence.NotPermitted => "not permitted",
        Absence.NotPresent => "not there",
        _ => reason.ToString().ToLowerInvariant(),
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "Cannot read {What} ({Reason}, {Where} for one): {Remedy}")]
        internal static partial void Unreadable(ILogger logger, string what, string reason, string where, string remedy);

        [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "All of this can be read again: {What}")]
        internal static partial void Readable(ILogger logger, string what);
    }
}
