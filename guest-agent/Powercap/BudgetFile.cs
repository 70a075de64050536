using System.Collections.Immutable;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging;

namespace Keck.Guest;

/// <summary>
/// The budget as a host agent in this same machine reads it (<see cref="HandedBudget"/>): each counter by itself, so that nesting loses no
/// vCPU. It lies in the powercap-like tree, beside what other tools read, and is replaced as a whole.
/// </summary>
internal sealed partial class BudgetFile
{
    // Well within what a reader takes for silence.
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<string, BudgetCount> _shown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _before = new(StringComparer.Ordinal);
    private HandedBudget? _last;
    private long _writtenAt;
    private bool _failed;

    private BudgetFile(string path, TimeProvider time, ILogger logger) => (_path, _time, _logger) = (path, time, logger);

    /// <summary>Makes its directory and reads what an earlier run showed; null where it cannot be made, which is said.</summary>
    /// <param name="root">Root of the powercap-like tree.</param>
    /// <param name="time">The clock of its stamps.</param>
    /// <param name="logger">Where what is wrong is said.</param>
    internal static BudgetFile? Create(string root, TimeProvider time, ILogger logger)
    {
        BudgetFile file = new(Path.Combine(root, HandedBudget.PathInTree), time, logger);
        try
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(file._path)!);
            foreach (BudgetCount counter in File.Exists(file._path) ? HandedBudget.Parse(File.ReadAllText(file._path).Trim())?.Counters ?? [] : [])
            {
                (file._shown[counter.Name], file._before[counter.Name]) = (counter, counter.Microjoules);
            }

            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotWritten(logger, file._path, e.Message);
            return null;
        }
    }

    /// <summary>Counts on from a ledger, not from what was shown.</summary>
    internal void CountFrom(LedgerSnapshot ledger)
    {
        _before.Clear();
        foreach (MeterTotals meter in ledger.Meters.Where(static meter => meter.Meter.Origin == EnergyOrigin.Budget))
        {
            _before[meter.Meter.Id] = _before.GetValueOrDefault(meter.Meter.Id) + meter.Total;
        }
    }

    /// <summary>
    /// Shows the counters. One that is behind what is shown already changes nothing: after a kill the ledger is some seconds behind, and
    /// the host's next word brings it up again.
    /// </summary>
    /// <param name="reached">Up to when they reach, ns.</param>
    /// <param name="counters">What was handed to ticks since the start.</param>
    internal void Write(long reached, ImmutableArray<BudgetCount> counters)
    {
        if (counters.IsEmpty || (_last?.ReachedNanoseconds == reached && _time.GetElapsedTime(_writtenAt) < RefreshAfter))
        {
            return;
        }

        ImmutableArray<BudgetCount>.Builder next = ImmutableArray.CreateBuilder<BudgetCount>(counters.Length);
        foreach (BudgetCount counter in counters)
        {
            long energy = _before.GetValueOrDefault(counter.Name) + counter.Microjoules;
            BudgetCount shown = counter with { Microjoules = Math.Max(energy, _shown.GetValueOrDefault(counter.Name).Microjoules) };
            _shown[counter.Name] = shown;
            next.Add(shown);
        }

        Write(new HandedBudget { WrittenNanoseconds = 0, ReachedNanoseconds = reached, Counters = next.MoveToImmutable() });
    }

    /// <summary>Says again what was said last, where that is some seconds ago.</summary>
    internal void Refresh()
    {
        if (_last is { } last && _time.GetElapsedTime(_writtenAt) >= RefreshAfter)
        {
            Write(last);
        }
    }

    private void Write(HandedBudget budget)
    {
        _writtenAt = _time.GetTimestamp();
        _last = budget with { WrittenNanoseconds = (long)_time.GetElapsedTime(0, _writtenAt).TotalNanoseconds };
        try
        {
            string next = _path + ".new";
            File.WriteAllText(next, _last.Format());
            File.Move(next, _path, overwrite: true);
            _failed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failed)
            {
                _failed = true;
                Log.NotWritten(_logger, _path, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 7023, Level = LogLevel.Warning, Message = "A host agent in this machine is not told the budget: {Path}: {Why}")]
        internal static partial void NotWritten(ILogger logger, string path, string why);
    }
}
