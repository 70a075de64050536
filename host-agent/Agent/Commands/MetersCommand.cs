using System.CommandLine;
using System.Text.Json;
using Keck.Agent;

namespace Keck.Host;

/// <summary><c>keck-host meters</c>: every meter found, without starting the agent.</summary>
internal static class MetersCommand
{
    internal static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print the document of /api/v1/meters" };
        Command command = new("meters", "list every meter found, which are selected and why the others are not") { json };
        ApiAccess access = new(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            IApi? api = await access.OpenAsync(parsed, cancellation).ConfigureAwait(false);
            if (api is null)
            {
                return ExitCodes.Usage;
            }

            await using (api.ConfigureAwait(false))
            {
                try
                {
                    if (api is LocalApi)
                    {
                        // Counters say something only after a second reading.
                        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, cancellation).ConfigureAwait(false);
                    }

                    using JsonDocument document = await api.GetAsync("/api/v1/meters", cancellation).ConfigureAwait(false);
                    await parsed.InvocationConfiguration.Output.WriteAsync(
                        parsed.GetValue(json) ? document.RootElement.GetRawText() + "\n" : Render(document.RootElement)).ConfigureAwait(false);
                    if (document.RootElement.Items("items").Any())
                    {
                        return ExitCodes.Ok;
                    }

                    await Console.Error.WriteLineAsync("keck-host: no meter found; see keck-host doctor").ConfigureAwait(false);
                    return ExitCodes.Failed;
                }
                catch (ApiException e)
                {
                    await Console.Error.WriteLineAsync($"keck-host: {e.Message}").ConfigureAwait(false);
                    return ExitCodes.Failed;
                }
            }
        });
        return command;
    }

    private static string Render(JsonElement document) => string.Concat(document.Items("items").Select(meter =>
        $"{(meter.True("selected") ? "* " : "  ")}{meter.Text("id"),-20} {meter.Text("domain"),-9} {meter.Text("origin"),-9} {meter.Text("quality"),-10} "
        + $"{Figures.Watts(meter.Number("powerWatts")),10}  {meter.Text("notSelectedBecause") ?? meter.Text("lastError") ?? ""}\n"));
}
