namespace Keck.Power;

/// <summary>A number read from a file, or what was wrong.</summary>
/// <param name="Value">The number; 0 and without meaning unless <paramref name="Fault"/> is <see cref="FileFault.None"/>.</param>
/// <param name="Fault">Why there is none.</param>
internal readonly record struct FileNumber(long Value, FileFault Fault)
{
    /// <summary>Reads decimal text as the kernel prints it: digits, then at most white space.</summary>
    internal static FileNumber Parse(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> trimmed = text.Trim(" \t\r\n\0"u8);
        if (trimmed.IsEmpty)
        {
            return new(0, FileFault.Empty);
        }

        bool negative = trimmed[0] == (byte)'-';
        ulong value = 0;
        foreach (byte digit in negative ? trimmed[1..] : trimmed)
        {
            if (digit is < (byte)'0' or > (byte)'9' || value > (ulong.MaxValue - (ulong)(digit - '0')) / 10)
            {
                return new(0, FileFault.NotANumber);
            }

            value = value * 10 + (ulong)(digit - '0');
        }

        if (negative)
        {
            return new(0, trimmed.Length > 1 ? FileFault.Sentinel : FileFault.NotANumber);
        }

        return value >= long.MaxValue || value == uint.MaxValue ? new(0, FileFault.Sentinel) : new((long)value, FileFault.None);
    }
}
