using System.Security.Cryptography;
using System.Text;

namespace Keck.Virt;

/// <summary>Keys of machines: their UUID where they have one that can be theirs alone, else one that is derived.</summary>
internal static class MachineId
{
    private static readonly Guid BoardDefault = new("03000200-0400-0500-0006-000700080009");

    /// <summary>A UUID in its canonical form; null for what is none, or is known to be everybody's.</summary>
    internal static string? Canonical(string? text) =>
        Guid.TryParse(text, out Guid uuid) && uuid != Guid.Empty && uuid != Guid.AllBitsSet && uuid != BoardDefault ? uuid.ToString("D") : null;

    /// <summary>A UUID of version 8: SHA-256 over the parts, so the same parts give the same id on every run.</summary>
    internal static string Derive(params ReadOnlySpan<string> parts)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in parts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        Span<byte> id = hash.GetHashAndReset().AsSpan(0, 16);
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true).ToString("D");
    }
}
