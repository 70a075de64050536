namespace Keck.Metering;

/// <summary>A trace that cannot be used: which line, what is wrong with it, what to do.</summary>
public sealed class TraceFormatException : Exception
{
    /// <summary>An error without a place.</summary>
    public TraceFormatException()
    {
    }

    /// <summary>An error whose line is not known yet.</summary>
    public TraceFormatException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    public TraceFormatException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>An error in a line, counted from 1.</summary>
    public TraceFormatException(long line, string what, Exception? inner = null)
        : base($"trace line {line}: {what}", inner) => Line = line;

    /// <summary>The line, counted from 1; 0 where the error has no line.</summary>
    public long Line { get; }
}
