using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>What both hosts do with a request before and after the router: the token, and failures.</summary>
internal sealed partial class ApiFront(ApiRouter router, BearerToken? token, ILogger logger)
{
    /// <summary>Answers into the buffer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="authorization">Its Authorization header.</param>
    /// <param name="trusted">Whether it came by the unix socket, whose file mode is the permission.</param>
    /// <param name="body">Takes the body, unless it is streamed.</param>
    [SuppressMessage("Design", "CA1031", Justification = "Top of the request: whatever fails is this request's failure, logged, never the agent's.")]
    internal ApiResponse Answer(ApiRequest request, string? authorization, bool trusted, PooledBuffer body)
    {
        ApiResponse response;
        try
        {
            response = trusted || token is null || token.Accepts(authorization) || IsProbe(request) ? router.Handle(request) : Problem.Unauthorized();
            response.Body?.Invoke(body);
        }
        catch (Exception failure)
        {
            Log.RequestFailed(logger, failure, request.Path.Length <= 256 ? request.Path : request.Path[..256]);
            body.Clear();
            response = Problem.Internal();
            response.Body?.Invoke(body);
        }

        return response;
    }

    // A probe says that the agent lives and whether it is ready, and nothing of what it meters: whoever probes has no secret.
    private static bool IsProbe(ApiRequest request) => request.Path is "/healthz" or "/readyz";

    private static partial class Log
    {
        [LoggerMessage(EventId = 4501, Level = LogLevel.Error, Message = "GET {Path} failed")]
        internal static partial void RequestFailed(ILogger logger, Exception failure, string path);
    }
}
