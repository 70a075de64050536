namespace Keck.Agent;

/// <summary>A request, as any transport brings it.</summary>
/// <param name="Method">Upper case, such as <c>GET</c>.</param>
/// <param name="Path">Percent-encoded, from the first slash.</param>
/// <param name="Query">Percent-encoded, without the question mark; empty for none.</param>
/// <param name="Accept">The header's value; null where there is none.</param>
public sealed record ApiRequest(string Method, string Path, string Query, string? Accept)
{
    /// <summary>Takes apart a request target: origin form (<c>/path?query</c>) or absolute form (<c>http://host/path</c>).</summary>
    public static ApiRequest Of(string method, string target, string? accept)
    {
        int scheme = target.StartsWith('/') ? -1 : target.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            int slash = target.IndexOf('/', scheme + 3);
            target = slash < 0 ? "/" : target[slash..];
        }

        int question = target.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? new(method, target, "", accept) : new(method, target[..question], target[(question + 1)..], accept);
    }
}
