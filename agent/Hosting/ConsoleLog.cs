using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>
/// Log lines on stderr, one each, with systemd's priority prefix where the journal reads them. The framework's console
/// logger starts a thread and formats twice; the agent logs on change only and needs neither.
/// </summary>
internal sealed class ConsoleLog(string program, TextWriter output) : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly bool _journal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
    }

    private void Write(LogLevel level, string category, EventId id, string message, Exception? exception)
    {
        string prefix = _journal ? level switch { >= LogLevel.Error => "<3>", LogLevel.Warning => "<4>", LogLevel.Information => "<6>", _ => "<7>" } : "";
        string name = level switch { >= LogLevel.Error => "error: ", LogLevel.Warning => "warning: ", _ => "" };
        string text = $"{prefix}{program}: {name}{message} [{category} {id.Id}]{(exception is null ? "" : $" {exception}")}";
        lock (_gate)
        {
            output.WriteLine(text.ReplaceLineEndings(" "));
        }
    }

    private sealed class Category(ConsoleLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Write(logLevel, name, eventId, formatter(state, exception), exception);
    }
}
