using Microsoft.Extensions.Logging;

namespace Keck.Workloads.Tests;

/// <summary>Keeps the messages.</summary>
internal sealed class FakeLogger : ILogger
{
    internal List<(int Id, string Text)> Messages { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Messages.Add((eventId.Id, formatter(state, exception)));
}
