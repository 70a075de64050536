using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Starts the host that fits the profile.</summary>
public static class ApiHosts
{
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
