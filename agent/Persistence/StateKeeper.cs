using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>
/// Keeps an agent's ledger over its restarts. A saved state is of the end of a tick; energy that is told to others is saved first
/// (<see cref="Commit"/>), so that no counter they have seen goes back after a kill.
/// </summary>
public sealed partial class StateKeeper : ITickOutlet, IDisposable
{
    /// <summary>How often the state is saved where nobody is told anything, ns.</summary>
    private const long SaveNanoseconds = 10_000_000_000;

    /// <summary>How often it is made durable against a power cut, ns.</summary>
    private const long DurableNanoseconds = 60_000_000_000;

    private readonly StateFile _file;
    private readonly string _bootId;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);
    private readonly Utf8JsonWriter _json;
    private MeteringEngine? _engine;
    private Action<Utf8JsonWriter>? _more;
    private long _saved = long.MinValue;
    private long _durable;
    private bool _failed;
    private bool _clean;

    /// <summary>Keeps state in a directory.</summary>
    /// <param name="file">The directory's files; disposed with the keeper.</param>
    /// <param name="bootId">The kernel's boot id: another one means that the monotonic clock and the meters' counters began anew.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where what is wrong is said.</param>
    public StateKeeper(StateFile file, string bootId, TimeProvider time, ILogger logger)
    {
        (_file, _bootId, _time, _logger) = (file, bootId, time, logger);
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>Keeps state in a directory, made if missing.</summary>
    /// <exception cref="StateException">It cannot be written, or another agent has it.</exception>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The keeper disposes of the file.")]
    public static StateKeeper Open(string directory, string bootId, TimeProvider time, ILogger logger) =>
        new(StateFile.Open(directory), bootId, time, logger);

    /// <summary>What an earlier run left, or a new ledger.</summary>
    public ResumedState Load()
    {
        byte[]? saved = _file.Load(out string? damaged);
        if (damaged is not null)
        {
            Log.Damaged(_logger, damaged);
        }

        if (saved is null)
        {
            return ResumedState.New();
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(saved);
            JsonElement root = document.RootElement;
            bool sameBoot = root.GetProperty("bootId"u8).GetString() == _bootId;
            bool clean = root.GetProperty("clean"u8).GetBoolean();
            DateTimeOffset savedAt = root.GetProperty("savedAt"u8).GetDateTimeOffset();

            // Counters that were told after the last durable save may have been higher: then it is another series.
            Guid? epoch = sameBoot || clean ? null : Guid.NewGuid();
            EnergyLedger ledger = LedgerState.Read(root, epoch);
            if (!sameBoot)
            {
                LedgerSnapshot snapshot = ledger.Snapshot();
                long nanoseconds = (long)_time.GetElapsedTime(0).TotalNanoseconds;
                TimeSpan since = TimeSpan.FromMicroseconds((snapshot.EndNanoseconds - snapshot.StartNanoseconds) / 1000.0) + (_time.GetUtcNow() - savedAt);
                ledger.MoveStart(nanoseconds - (long)Math.Max(0, since.TotalNanoseconds));
            }

            Log.Resumed(_logger, ledger.Epoch, savedAt, sameBoot ? "this boot" : clean ? "an earlier boot" : "an earlier boot that ended without warning: a new epoch");
            return new ResumedState(ledger, LedgerState.ReadFloors(root), sameBoot, root.Clone());
        }
        catch (Exception e) when (e is JsonException or TraceFormatException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            Log.Unreadable(_logger, e.Message);
            return ResumedState.New();
        }
    }

    /// <summary>Begins to follow an engine.</summary>
    /// <param name="engine">It.</param>
    /// <param name="more">Writes members of its own beside the ledger's.</param>
    public void Follow(MeteringEngine engine, Action<Utf8JsonWriter> more)
    {
        (_engine, _more) = (engine, more);
        engine.Attach(this);
    }

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
        if (_saved == long.MinValue || observation.EndNanoseconds - _saved >= SaveNanoseconds)
        {
            Commit(observation.EndNanoseconds);
        }
    }

    /// <summary>Saves the state as of the tick that was booked last, unless that was done. On the tick's own thread.</summary>
    /// <param name="nanoseconds">End of that tick.</param>
    /// <returns>Whether it is saved: what is not must not be told.</returns>
    public bool Commit(long nanoseconds)
    {
        if (_saved == nanoseconds)
        {
            return true;
        }

        bool durable = nanoseconds - _durable >= DurableNanoseconds;
        if (!Save(durable))
        {
            return false;
        }

        _saved = nanoseconds;
        _durable = durable ? nanoseconds : _durable;
        return true;
    }

    /// <summary>Saves the last state for good: the agent stops.</summary>
    public void Close()
    {
        _clean = true;
        _ = _engine is not null && Save(durable: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    private bool Save(bool durable)
    {
        _buffer.ResetWrittenCount();
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteString("bootId"u8, _bootId);
        _json.WriteString("savedAt"u8, _time.GetUtcNow());
        _json.WriteBoolean("clean"u8, _clean);
        _more!(_json);
        _engine!.WriteState(_json);
        _json.WriteEndObject();
        _json.Flush();
        try
        {
            _file.Save(_buffer.WrittenSpan, durable);
            if (_failed)
            {
                _failed = false;
                Log.SavedAgain(_logger);
            }

            return true;
        }
        catch (StateException e)
        {
            if (!_failed)
            {
                _failed = true;
                Log.NotSaved(_logger, e.Message);
            }

            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4101, Level = LogLevel.Information, Message = "Counters go on in epoch {Epoch}, saved at {SavedAt:u} in {Boot}")]
        internal static partial void Resumed(ILogger logger, Guid epoch, DateTimeOffset savedAt, string boot);

        [LoggerMessage(EventId = 4102, Level = LogLevel.Warning, Message = "{Damaged}; the other one is used if it is")]
        internal static partial void Damaged(ILogger logger, string damaged);

        [LoggerMessage(EventId = 4103, Level = LogLevel.Warning, Message = "The saved state cannot be understood ({Why}); counters start at zero in a new epoch")]
        internal static partial void Unreadable(ILogger logger, string why);

        [LoggerMessage(EventId = 4104, Level = LogLevel.Error, Message = "Counters are not saved and nothing is told to guests until they are: {Why}")]
        internal static partial void NotSaved(ILogger logger, string why);

        [LoggerMessage(EventId = 4105, Level = LogLevel.Information, Message = "Counters are saved again")]
        internal static partial void SavedAgain(ILogger logger);
    }
}
