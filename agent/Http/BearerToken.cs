using System.Security.Cryptography;
using System.Text;

namespace Keck.Agent;

/// <summary>The token that TCP clients must send. Compared in constant time, by hash, so that not even its length shows.</summary>
internal sealed class BearerToken
{
    private const int MinLength = 16;
    private const string Scheme = "Bearer ";

    private readonly byte[] _hash;

    private BearerToken(string token) => _hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Reads a token file; null for no file.</summary>
    /// <exception cref="ListenException">It cannot be read or is too short.</exception>
    internal static BearerToken? Read(string? file) => Text(file) is { } token ? new BearerToken(token) : null;

    /// <summary>The token in a file; null for no file.</summary>
    /// <exception cref="ListenException">It cannot be read, is too short, or cannot stand in a header.</exception>
    internal static string? Text(string? file)
    {
        if (file is null)
        {
            return null;
        }

        string token;
        try
        {
            token = File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ListenException($"token file {file} cannot be read: {failure.Message}", failure);
        }

        if (token.Any(static character => character is < ' ' or > '~'))
        {
            throw new ListenException($"token file {file} holds more than a line of ASCII: a token has to go into a header");
        }

        return token.Length >= MinLength
            ? token
            : throw new ListenException($"token file {file} holds fewer than {MinLength} characters: write a longer one, such as from: openssl rand -hex 32");
    }

    /// <summary>Whether an Authorization header carries the token.</summary>
    internal bool Accepts(string? authorization)
    {
        if (authorization is null || authorization.Length > 4_096 || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim()), hash);
        return CryptographicOperations.FixedTimeEquals(hash, _hash);
    }
}
