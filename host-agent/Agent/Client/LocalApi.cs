using System.Buffers;
using System.Text.Json;
using Keck.Agent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host;

/// <summary>An agent inside this process: meters for as long as the command runs.</summary>
internal sealed class LocalApi : IApi
{
    private readonly HostAgent _agent;
    private readonly ApiRouter _router;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Heartbeat _heartbeat;

    private LocalApi(HostAgent agent, TimeProvider time)
    {
        _agent = agent;
        _router = new ApiRouter(agent.Parts, new ApiOptions());
        agent.Engine.Tick();
        _loop = LiveLoop.RunAsync(agent, Timeout.InfiniteTimeSpan, time, () => { }, _stop.Token);
        _heartbeat = new Heartbeat(agent, time, NullLogger<Heartbeat>.Instance);
        _ = _heartbeat.StartAsync(_stop.Token);
    }

    public string Name => "this process";

    public bool IsNew => true;

    /// <summary>Starts metering.</summary>
    internal static LocalApi Start(HostOptions options, TimeProvider time) =>
        new(HostAgent.Create(options, time, NullLoggerFactory.Instance), time);

    public Task<JsonDocument> GetAsync(string target, CancellationToken cancellation)
    {
        ApiResponse response = _router.Handle(ApiRequest.Of("GET", target, null));
        ArrayBufferWriter<byte> body = new();
        response.Body?.Invoke(body);
        return response.Status == 200
            ? Task.FromResult(JsonDocument.Parse(body.WrittenMemory))
            : throw new ApiException($"{target}: {Problems.Detail(body.WrittenSpan)}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await _heartbeat.StopAsync(CancellationToken.None).ConfigureAwait(false);
        _heartbeat.Dispose();
        _agent.Dispose();
        _stop.Dispose();
    }
}
