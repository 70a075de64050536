using System.CommandLine;
using Keck.Agent;

namespace Keck.Guest;

/// <summary>Commands of the guest ask the agent that runs: the channel to the host is its alone.</summary>
internal sealed class GuestAccess : IApiAccess
{
    private readonly Option<string?> _url = new("--url") { Description = "ask this agent, such as http://127.0.0.1:9471", HelpName = "URL" };
    private readonly SettingFlags _settings;

    internal GuestAccess(Command command)
    {
        command.Options.Add(_url);
        _settings = new SettingFlags(Settings.Table, command, "socket", "listen", "tokenFile");
    }

    public Task<IApi?> OpenAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            return Task.FromResult<IApi?>(Open(parsed));
        }
        catch (ListenException e)
        {
            Console.Error.WriteLine($"keck-guest: {e.Message}");
            return Task.FromResult<IApi?>(null);
        }
    }

    private RemoteApi? Open(ParseResult parsed)
    {
        if (_settings.Load(parsed) is not GuestOptions options)
        {
            return null;
        }

        if (parsed.GetValue(_url) is { } text)
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is ("http" or "https"))
            {
                return RemoteApi.AtUrl(url).With(_settings.Given(parsed, "tokenFile"));
            }

            Console.Error.WriteLine($"keck-guest: --url: '{text}' is not an address such as http://127.0.0.1:9471");
            return null;
        }

        if (options.Socket is { } socket && File.Exists(socket))
        {
            return RemoteApi.AtSocket(socket);
        }

        // The minimal profile serves its address alone.
        if (options.Listen is { } listen)
        {
            return RemoteApi.AtUrl(new Uri($"http://{listen}")).With(options.TokenFile);
        }

        Console.Error.WriteLine("keck-guest: no agent is to be asked: start `keck-guest run` (or its service), or say where it is with --url or --socket");
        return null;
    }
}
