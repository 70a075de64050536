using System.CommandLine;
using Keck.Agent.Interop;

namespace Keck.Agent;

/// <summary><c>keck-host top</c>: a live table of consumers; on anything but a terminal, plain text.</summary>
internal static class TopCommand
{
    private const int PlainRows = 20;
    private const int PlainWidth = 200;

    /// <param name="program">The program's name, before what it says on stderr.</param>
    /// <param name="accessOf">Adds what tells which agent is asked.</param>
    internal static Command Create(string program, Func<Command, IApiAccess> accessOf)
    {
        string sorts = string.Join(", ", TopSelection.Sorts.Select(sort => sort.Name));
        Option<string> kind = new("--kind", "-k") { Description = "processes, containers, pods or machines", HelpName = "KIND", DefaultValueFactory = _ => "processes" };
        Option<bool> machines = new("--machines", "-m") { Description = "the same as --kind machines; a star at the vCPUs: the guest's agent is connected" };
        Option<string> sort = new("--sort", "-s") { Description = $"{sorts}", HelpName = "KEY", DefaultValueFactory = _ => "power" };
        Option<bool> reverse = new("--reverse", "-r") { Description = "turn the order round" };
        Option<string> filter = new("--filter", "-f") { Description = "only names with this text in them, in upper or lower case", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<int> count = new("--top") { Description = $"how many rows (default: as many as fit; {PlainRows} as plain text)", HelpName = "N" };
        Option<double> delay = new("--delay", "-d") { Description = "seconds between updates, 0.5 to 3600", HelpName = "S", DefaultValueFactory = _ => 2 };
        Option<bool> once = new("--once", "-b") { Description = "print plain text instead of a live table; so does output that is no terminal" };
        Option<int> iterations = new("--iterations", "-n") { Description = "how many tables to print as plain text, 0 for no end", HelpName = "N", DefaultValueFactory = _ => 1 };
        Command command = new("top", "show who uses the energy, live") { kind, machines, sort, reverse, filter, count, delay, once, iterations };
        IApiAccess access = accessOf(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            TopSelection selection = new()
            {
                Kind = parsed.GetValue(machines) ? "machines" : parsed.GetValue(kind)!,
                Sort = parsed.GetValue(sort)!,
                Reverse = parsed.GetValue(reverse),
                Filter = parsed.GetValue(filter)!,
                Count = parsed.GetValue(count),
                Delay = parsed.GetValue(delay),
            };
            int tables = parsed.GetValue(iterations);
            if (selection.Problem is { } problem || (problem = tables < 0 ? "--iterations must be 0 or more" : null) is not null)
            {
                await Console.Error.WriteLineAsync($"{program}: {problem}").ConfigureAwait(false);
                return ExitCodes.Usage;
            }

            IApi? api = await access.OpenAsync(parsed, cancellation).ConfigureAwait(false);
            if (api is null)
            {
                return ExitCodes.Usage;
            }

            await using (api.ConfigureAwait(false))
            {
                try
                {
                    if (parsed.GetValue(once) || Console.IsOutputRedirected)
                    {
                        await PrintAsync(api, selection, tables, cancellation).ConfigureAwait(false);
                    }
                    else
                    {
                        using TopScreen screen = new(cancellation);
                        await screen.RunAsync(api, selection).ConfigureAwait(false);
                    }

                    return ExitCodes.Ok;
                }
                catch (ApiException e)
                {
                    await Console.Error.WriteLineAsync($"{program}: {e.Message}").ConfigureAwait(false);
                    return ExitCodes.Failed;
                }
                catch (OperationCanceledException)
                {
                    return ExitCodes.Ok;
                }
            }
        });
        return command;
    }

    private static async Task PrintAsync(IApi api, TopSelection selection, int tables, CancellationToken cancellation)
    {
        if (api.IsNew)
        {
            // Power is a difference: an agent that has only just begun has none to tell.
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(3, selection.Delay)), TimeProvider.System, cancellation).ConfigureAwait(false);
        }

        // Not by the Console: it takes no notice of a reader that has gone, and would print to nobody for ever.
        using Terminal output = new();
        for (int table = 0; tables == 0 || table < tables; table++)
        {
            if (table > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(selection.Delay), TimeProvider.System, cancellation).ConfigureAwait(false);
            }

            string text = await TopTable.FrameAsync(api, selection, selection.Count > 0 ? selection.Count : PlainRows, PlainWidth, cancellation).ConfigureAwait(false);
            if (!output.Write(table > 0 ? $"\n{text}" : text))
            {
                if (output.Failure is { } failure)
                {
                    throw failure;
                }

                return;
            }
        }
    }
}
