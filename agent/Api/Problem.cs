using System.Text.Json;

namespace Keck.Agent;

/// <summary>RFC 9457: what was wrong and what is allowed.</summary>
internal sealed record Problem
{
    /// <summary>The reason phrase of the status.</summary>
    public required string Title { get; init; }

    public required int Status { get; init; }

    public required string Detail { get; init; }

    /// <summary>The request's path; null where it makes no sense to repeat it.</summary>
    public string? Instance { get; init; }

    /// <summary>Every fault of the query, one by one.</summary>
    public string[]? Errors { get; init; }

    internal ApiResponse ToResponse() => new(Status, "application/problem+json")
    {
        Body = output =>
        {
            using var writer = new Utf8JsonWriter(output, ApiJson.WriterOptions);
            JsonSerializer.Serialize(writer, this, ApiJson.Default.Problem);
        },
    };

    internal static ApiResponse NotFound(string path, string detail) =>
        new Problem { Title = "Not Found", Status = 404, Detail = detail, Instance = path }.ToResponse();

    internal static ApiResponse BadRequest(string path, string detail, string[]? errors = null) =>
        new Problem { Title = "Bad Request", Status = 400, Detail = detail, Instance = path, Errors = errors }.ToResponse();

    internal static ApiResponse MethodNotAllowed(string path, string method) =>
        new Problem { Title = "Method Not Allowed", Status = 405, Detail = $"{method} is not allowed here: reading changes nothing, so only GET and HEAD are.", Instance = path }
            .ToResponse() with
        { Allow = "GET, HEAD" };

    internal static ApiResponse Unavailable(string path, string detail) =>
        new Problem { Title = "Service Unavailable", Status = 503, Detail = detail, Instance = path }.ToResponse();

    internal static ApiResponse Unauthorized() =>
        new Problem { Title = "Unauthorized", Status = 401, Detail = "Send the agent's token: Authorization: Bearer <token>." }
            .ToResponse() with
        { Authenticate = "Bearer realm=\"keck\"" };

    /// <summary>A request that is no HTTP as we take it: 400, 431 or 505.</summary>
    internal static Problem OfTransport(int status) => new()
    {
        Title = TitleOf(status),
        Status = status,
        Detail = status switch
        {
            431 => "The request line and headers together may have 16 KiB, and 64 headers.",
            505 => "HTTP/1.1 and HTTP/1.0 are spoken here.",
            _ => "This is not an HTTP/1.1 request.",
        },
    };

    /// <summary>The reason phrase of a status (RFC 9110, 15).</summary>
    internal static string TitleOf(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    };

    internal static ApiResponse Internal() =>
        new Problem { Title = "Internal Server Error", Status = 500, Detail = "The agent failed to answer; its log says why." }.ToResponse();
}
