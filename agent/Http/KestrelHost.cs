using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>The API on Kestrel alone: no routing, no configuration, no middleware; TCP (TLS where there is a certificate) and a unix socket.</summary>
internal sealed class KestrelHost : IApiHost
{
    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(10);

    private readonly WebApplication _application;
    private readonly string? _unixSocket;
    private readonly X509Certificate2? _certificate;

    private KestrelHost(WebApplication application, string? unixSocket, X509Certificate2? certificate)
    {
        _application = application;
        _unixSocket = unixSocket;
        _certificate = certificate;
        Addresses =
        [
            .. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
                .Where(address => !address.StartsWith("http://unix:", StringComparison.Ordinal)),
            .. unixSocket is null ? Array.Empty<string>() : [$"unix:{unixSocket}"],
        ];
    }

    public IReadOnlyList<string> Addresses { get; }

    internal static async Task<KestrelHost> StartAsync(
        ApiFront front, ApiListenOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        X509Certificate2? certificate = Certificate(options);
        if (options.UnixSocket is { } path)
        {
            UnixSocketFile.Clear(path);
        }

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddSingleton(loggers);
        _ = builder.WebHost.UseKestrelCore();
        if (certificate is not null)
        {
            _ = builder.WebHost.UseKestrelHttpsConfiguration();
        }

        _ = builder.WebHost.ConfigureKestrel(server => Configure(server, options, certificate));
        WebApplication application = builder.Build();
        application.Run(context => ServeAsync(front, context));
        try
        {
            await application.StartAsync(cancellationToken);
            if (options.UnixSocket is { } socket)
            {
                UnixSocketFile.Restrict(socket);
            }

            return new KestrelHost(application, options.UnixSocket, certificate);
        }
        catch (IOException failure)
        {
            await application.DisposeAsync();
            certificate?.Dispose();
            string why = failure.InnerException is AddressInUseException ? "the port is in use" : failure.InnerException?.Message ?? failure.Message;
            throw new ListenException($"cannot listen on {options.Address}: {why}; is another agent running? (--listen takes another address)", failure);
        }
        catch (System.Net.Sockets.SocketException failure)
        {
            await application.DisposeAsync();
            certificate?.Dispose();
            throw new ListenException($"cannot listen on {options.Address}: {failure.Message}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), TimeProvider.System))
        {
            await _application.StopAsync(patience.Token);
        }

        await _application.DisposeAsync();
        _certificate?.Dispose();
        if (_unixSocket is not null)
        {
            File.Delete(_unixSocket);
        }
    }

    private static void Configure(KestrelServerOptions server, ApiListenOptions options, X509Certificate2? certificate)
    {
        server.AddServerHeader = false;
        server.AllowSynchronousIO = false;
        server.Limits.MaxConcurrentConnections = 100;
        server.Limits.MaxConcurrentUpgradedConnections = 0;
        server.Limits.MaxRequestBodySize = 0;
        server.Limits.MaxRequestHeaderCount = 64;
        server.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        server.Limits.MaxRequestLineSize = 8 * 1024;
        server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
        if (options.EndPoint is { } point)
        {
            server.Listen(point, listen =>
            {
                // Scrapers speak HTTP/1.1; HTTP/2 would be surface without use.
                listen.Protocols = HttpProtocols.Http1;
                if (certificate is not null)
                {
                    _ = listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate });
                }
            });
        }

        if (options.UnixSocket is { } path)
        {
            server.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http1);
        }
    }

    /// <summary>The certificate to serve with; null for none.</summary>
    /// <exception cref="ListenException">It cannot be read.</exception>
    internal static X509Certificate2? Certificate(ApiListenOptions options)
    {
        if (options.CertificateFile is not { } file)
        {
            return null;
        }

        try
        {
            return X509Certificate2.CreateFromPemFile(file, options.KeyFile);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ListenException($"certificate {file} cannot be used: {failure.Message}", failure);
        }
    }

    private static async Task ServeAsync(ApiFront front, HttpContext context)
    {
        using var body = new PooledBuffer();
        HttpRequest request = context.Request;
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        ApiRequest asked = ApiRequest.Of(request.Method, target, request.Headers.Accept);
        bool unix = context.Connection.LocalIpAddress is null;
        ApiResponse response = front.Answer(asked, request.Headers.Authorization, trusted: unix, body);
        context.Response.StatusCode = response.Status;
        context.Response.ContentType = response.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (response.Allow is { } allow)
        {
            context.Response.Headers.Allow = allow;
        }

        if (response.Authenticate is { } authenticate)
        {
            context.Response.Headers.WWWAuthenticate = authenticate;
        }

        bool hasBody = asked.Method != "HEAD";
        if (response.Stream is { } stream && hasBody)
        {
            await stream(context.Response.Body, context.RequestAborted);
            return;
        }

        // Kestrel's own limit, a least rate, lets what went out fast pay for hours of silence after it.
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using CancellationTokenRegistration giveUp = patience.Token.Register(context.Abort);
        patience.CancelAfter(SendPatience);
        if (hasBody)
        {
            context.Response.ContentLength = body.Written.Length;
            await context.Response.Body.WriteAsync(body.Written, context.RequestAborted);
        }

        await context.Response.CompleteAsync();
    }
}
