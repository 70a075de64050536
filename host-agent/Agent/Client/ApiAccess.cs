using System.CommandLine;
using System.Text.Json;
using Keck.Agent;

namespace Keck.Host;

/// <summary>Which agent a command asks: the one named, else the one that runs here, else one of its own.</summary>
internal sealed class ApiAccess : IApiAccess
{
    private readonly Option<string?> _url = new("--url") { Description = "ask this agent, such as http://127.0.0.1:9470", HelpName = "URL" };
    private readonly SettingFlags _settings;

    internal ApiAccess(Command command)
    {
        command.Options.Add(_url);
        _settings = new SettingFlags(Settings.Table, command, "socket", "listen", "tokenFile", "profile", "idle", "model", "calibration", "runs", "estimate", "budget", "path.procfs", "path.sysfs", "path.rootfs");
    }

    /// <summary>Opens the API, or says what is wrong and returns null.</summary>
    public async Task<IApi?> OpenAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (_settings.Load(parsed) is not HostOptions options)
        {
            return null;
        }

        try
        {
            return await OpenAsync(parsed, options, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StartException or ListenException)
        {
            Console.Error.WriteLine($"keck-host: {e.Message}");
            return null;
        }
    }

    private async Task<IApi?> OpenAsync(ParseResult parsed, HostOptions options, CancellationToken cancellation)
    {
        if (parsed.GetValue(_url) is { } text)
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is ("http" or "https"))
            {
                // The token of this machine's configuration is this machine's agent's: another one gets what was given for it.
                return RemoteApi.AtUrl(url).With(_settings.Given(parsed, "tokenFile"));
            }

            Console.Error.WriteLine($"keck-host: --url: '{text}' is not an address such as http://127.0.0.1:9470");
            return null;
        }

        // Another machine's trees are not what the running agent meters.
        if (options.OwnTrees)
        {
            // The minimal profile serves its address alone.
            RemoteApi? running = options.Socket is { } socket && File.Exists(socket) ? await AnsweringAsync(RemoteApi.AtSocket(socket), cancellation).ConfigureAwait(false) : null;
            running ??= options.Listen is { } listen ? await AnsweringAsync(RemoteApi.AtUrl(new Uri($"http://{listen}")).With(options.TokenFile), cancellation).ConfigureAwait(false) : null;
            if (running is not null)
            {
                return running;
            }
        }

        return LocalApi.Start(options, TimeProvider.System);
    }

    // A socket left behind has nobody; on the port there may be anybody.
    private static async Task<RemoteApi?> AnsweringAsync(RemoteApi remote, CancellationToken cancellation)
    {
        try
        {
            using JsonDocument node = await remote.GetAsync("/api/v1/node", cancellation).ConfigureAwait(false);
            if (node.RootElement.Text("agent") == Settings.Table.Program)
            {
                return remote;
            }
        }
        catch (ApiException e)
        {
            // Nobody, or nobody who says this.
            if (e.WantsToken)
            {
                Console.Error.WriteLine($"keck-host: {remote.Name} wants a token (--token-file): it is not asked");
            }
        }

        await remote.DisposeAsync().ConfigureAwait(false);
        return null;
    }
}
