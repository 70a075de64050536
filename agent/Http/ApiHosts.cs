using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Starts the host that fits the profile.</summary>
public static class ApiHosts
{
    /// <summary>Everything that is wrong with where it is to be served, files included; empty when a start can be tried.</summary>
    internal static IReadOnlyList<string> Check(ApiListenOptions options, ProfileKind profile)
    {
        if (options.Validate(profile == ProfileKind.Minimal) is { Count: > 0 } errors)
        {
            return errors;
        }

        try
        {
            _ = BearerToken.Read(options.TokenFile);
            if (options.CertificateFile is not null)
            {
                KestrelHost.Certificate(options)?.Dispose();
            }

            return [];
        }
        catch (ListenException e)
        {
            return [e.Message];
        }
    }

    /// <summary>Starts serving: Kestrel, or under the minimal profile plain sockets, so that Kestrel is never loaded.</summary>
    /// <exception cref="ListenException">The options are unsafe, or the address is taken; the message says all that is wrong.</exception>
    public static async Task<IApiHost> StartAsync(
        ApiRouter router, ApiListenOptions options, ProfileKind profile, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        bool minimal = profile == ProfileKind.Minimal;
        if (options.Validate(minimal) is { Count: > 0 } errors)
        {
            throw new ListenException(string.Join("; ", errors));
        }

        var front = new ApiFront(router, BearerToken.Read(options.TokenFile), loggers.CreateLogger("Keck.Agent.Http"));
        return minimal
            ? SmallHost.Start(front, options)
            : await KestrelHost.StartAsync(front, options, loggers, cancellationToken);
    }
}
