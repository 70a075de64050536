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

    private static string Render(JsonElement document) => string.Concat(document.Items("items").Select(Row).Prepend(Line("  ", "METER", "DOMAIN", "ORIGIN", "QUALITY", "POWER", "")));

    private static string Row(JsonElement meter) => Line(
        meter.True("selected") ? "* " : "  ", meter.Text("id"), meter.Text("domain"), meter.Text("origin"), meter.Text("quality"), Figures.Watts(meter.Number("powerWatts")),
        meter.Text("notSelectedBecause") ?? meter.Text("lastError"));

    private static string Line(string mark, string? id, string? domain, string? origin, string? quality, string power, string? note) =>
        $"{mark}{id,-20} {domain,-9} {origin,-9} {quality,-10} {power,10}  {note}".TrimEnd() + "\n";
}
