using System.Collections.Immutable;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Power;

/// <summary>What is said of meters and CPUs, on change only.</summary>
internal sealed partial class MeterLog(ILogger logger)
{
    private (MeterProblem? Cause, bool Failed) _last;

    /// <summary>Says what is attributed, what has no value, and whether anything is left.</summary>
    internal void Start(ImmutableArray<Meter> meters, ImmutableArray<SourceMeter> found, MeterProblem? cpus)
    {
        if (cpus is { } problem)
        {
            Log.CpusUnknown(logger, problem);
        }

        for (int i = 0; i < meters.Length; i++)
        {
            if (meters[i].Selected)
            {
                Selected(meters[i]);
            }
            else if (found[i].Problem is { } fault)
            {
                Log.MeterFailed(logger, meters[i].Id, fault);
            }
        }

        if (!meters.Any(meter => meter.Selected))
        {
            Log.NoMeter(logger);
        }
    }

    /// <summary>
    /// A meter's reading has a value no more, or for another reason, or again. Meters with one cause (all of an estimate) are
    /// one message, in the name of the first.
    /// </summary>
    internal void Change(string meter, MeterProblem? before, MeterProblem? now)
    {
        (MeterProblem? Cause, bool Failed) change = (now ?? before, now is not null);
        if (ReferenceEquals(change.Cause, _last.Cause) && change.Failed == _last.Failed)
        {
            return;
        }

        _last = change;
        if (now is { } problem)
        {
            Log.MeterFailed(logger, meter, problem);
        }
        else
        {
            Log.MeterRecovered(logger, meter);
        }
    }

    /// <summary>A meter is attributed from now on.</summary>
    internal void Selected(Meter meter) => Log.MeterSelected(logger, meter.Id, meter.Origin, meter.Quality);

    /// <summary>A meter that has values is attributed no more.</summary>
    internal void Deselected(Meter meter) => Log.MeterDeselected(logger, meter.Id, meter.NotSelectedBecause!);

    /// <summary>CPUs went or came.</summary>
    internal void Cpus(int before, int now, MeterProblem? fault)
    {
        Log.CpusChanged(logger, before, now);
        if (fault is { } problem)
        {
            Log.CpusUnknown(logger, problem);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "Meter {Meter} is attributed (origin {Origin}, quality {Quality})")]
        internal static partial void MeterSelected(ILogger logger, string meter, EnergyOrigin origin, ReadingQuality quality);

        [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "Meter {Meter} is no longer attributed: {Because}")]
        internal static partial void MeterDeselected(ILogger logger, string meter, string because);

        [LoggerMessage(EventId = 1003, Level = LogLevel.Warning, Message = "Meter {Meter} has no value: {Problem}")]
        internal static partial void MeterFailed(ILogger logger, string meter, MeterProblem problem);

        [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "Meter {Meter} has values again")]
        internal static partial void MeterRecovered(ILogger logger, string meter);

        [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "CPUs online changed from {Before} to {Now} or moved")]
        internal static partial void CpusChanged(ILogger logger, int before, int now);

        [LoggerMessage(EventId = 1006, Level = LogLevel.Warning, Message = "The CPUs' description has a fault: {Problem}")]
        internal static partial void CpusUnknown(ILogger logger, MeterProblem problem);

        [LoggerMessage(EventId = 1007, Level = LogLevel.Error, Message = "No meter has a value: no energy can be attributed; `keck-host doctor` says what would help")]
        internal static partial void NoMeter(ILogger logger);
    }
}
