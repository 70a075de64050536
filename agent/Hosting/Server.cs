using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Serves the API for as long as the agent runs; what keeps it from serving keeps the agent from starting.</summary>
internal sealed partial class Server(AgentCore agent, AgentOptions options, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private IApiHost? _host;

    /// <summary>Where it is served.</summary>
    internal IReadOnlyList<string> Addresses => _host?.Addresses ?? [];

    /// <summary>Where the options have it served.</summary>
    internal static ApiListenOptions Listen(AgentOptions options) => new()
    {
        Address = options.Listen,
        UnixSocket = options.Socket,
        CertificateFile = options.TlsCertificate,
        KeyFile = options.TlsKey,
        TokenFile = options.TokenFile,
    };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        MetricDialects dialects = default;
        foreach (string dialect in options.Expose)
        {
            dialects |= dialect == "kepler" ? MetricDialects.Kepler : MetricDialects.Scaphandre;
        }

        ApiOptions api = new()
        {
            Metrics = new MetricsOptions { TopProcesses = options.ExposeProcesses, Dialects = dialects, SeriesLimit = agent.Profile.MetricSeriesLimit },
        };
        try
        {
            _host = await ApiHosts.StartAsync(new ApiRouter(agent.Parts, api), Listen(options), options.Profile, loggers, cancellationToken).ConfigureAwait(false);
        }
        catch (ListenException e)
        {
            throw new StartException(e.Message);
        }

        ILogger logger = loggers.CreateLogger<Server>();
        string addresses = string.Join(" and ", _host.Addresses);
        Log.Serving(logger, addresses);
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _host, null) is { } host)
        {
            await host.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4203, Level = LogLevel.Information, Message = "Serving {Addresses}")]
        internal static partial void Serving(ILogger logger, string addresses);
    }
}
