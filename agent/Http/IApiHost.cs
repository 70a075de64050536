namespace Keck.Agent;

/// <summary>Serves the API until disposed.</summary>
public interface IApiHost : IAsyncDisposable
{
    /// <summary>Where it is served, such as <c>http://127.0.0.1:9470</c> and <c>unix:/run/keck/host.sock</c>.</summary>
    IReadOnlyList<string> Addresses { get; }
}
