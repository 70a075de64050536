namespace Keck.Metering;

/// <summary>A value, or the reason why there is none.</summary>
/// <typeparam name="T">What was read.</typeparam>
public readonly record struct Reading<T>
    where T : struct
{
    private Reading(T? value, Absence reason)
    {
        Value = value;
        Reason = reason;
    }

    /// <summary>The value; null when absent.</summary>
    public T? Value { get; }

    /// <summary>Why it is absent; meaningless while <see cref="Value"/> is there.</summary>
    public Absence Reason { get; }

    /// <summary>A reading that has a value.</summary>
    public static implicit operator Reading<T>(T value) => new(value, default);

    /// <summary>A reading that has none.</summary>
    public static implicit operator Reading<T>(Absence reason) => new(null, reason);

    /// <summary>The value, or the absence in words.</summary>
    public override string ToString() => Value is { } value ? value.ToString()! : $"absent ({Reason})";
}
