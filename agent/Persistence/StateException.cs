namespace Keck.Agent;

/// <summary>State cannot be kept or read; the message says what, where and what to do.</summary>
public sealed class StateException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public StateException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong, and what showed it.</summary>
    public StateException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Whether it is because another agent has the directory.</summary>
    public bool InUse { get; init; }

    /// <summary>Not used: a state exception has words.</summary>
    public StateException()
    {
    }
}
