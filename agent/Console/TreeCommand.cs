using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Keck.Agent;

/// <summary><c>tree</c>: the energy tree as indented text, with a check mark where children add up.</summary>
internal static class TreeCommand
{
    /// <param name="program">The program's name, before what it says on stderr.</param>
    /// <param name="accessOf">Adds what tells which agent is asked.</param>
    internal static Command Create(string program, Func<Command, IApiAccess> accessOf)
    {
        Option<int> depth = new("--depth") { Description = $"levels to show, 1 to {EnergyTree.MaxDepth}", HelpName = "N", DefaultValueFactory = _ => 4 };
        Option<double> seconds = new("--seconds") { Description = "how long to meter first where no agent runs", HelpName = "S", DefaultValueFactory = _ => 5 };
        Option<bool> machines = new("--machines", "-m") { Description = "host → machine → vCPU instead of meter → core → process" };
        Command command = new("tree", "show where the energy went, level by level, and that every level adds up") { depth, seconds, machines };
        IApiAccess access = accessOf(command);
        command.SetAction((parsed, cancellation) => RunAsync(program, access, parsed, parsed.GetValue(depth), parsed.GetValue(machines), parsed.GetValue(seconds), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string program, IApiAccess access, ParseResult parsed, int depth, bool machines, double seconds, CancellationToken cancellation)
    {
        if (depth is < 1 or > EnergyTree.MaxDepth)
        {
            await Console.Error.WriteLineAsync($"{program}: --depth must be from 1 to {EnergyTree.MaxDepth}").ConfigureAwait(false);
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
                if (api.IsNew)
                {
                    await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds, 1, 3_600)), TimeProvider.System, cancellation).ConfigureAwait(false);
                }

                string target = string.Create(CultureInfo.InvariantCulture, $"/api/v1/tree?depth={depth}{(machines ? "&view=machines" : "")}");
                using JsonDocument document = await api.GetAsync(target, cancellation).ConfigureAwait(false);
                if (document.RootElement.TryGetProperty("tree", out JsonElement root) && root.Whole("energyMicrojoules") is null)
                {
                    using JsonDocument node = await api.GetAsync("/api/v1/node", cancellation).ConfigureAwait(false);
                    throw new ApiException(Figures.NoMeter(node.RootElement));
                }

                TextWriter output = parsed.InvocationConfiguration.Output;
                await output.WriteAsync(Render(document.RootElement)).ConfigureAwait(false);
                return document.RootElement.True("sumsUp") ? ExitCodes.Ok : ExitCodes.Failed;
            }
            catch (ApiException e)
            {
                await Console.Error.WriteLineAsync($"{program}: {e.Message}").ConfigureAwait(false);
                return ExitCodes.Failed;
            }
        }
    }

    /// <summary>The tree document as text.</summary>
    internal static string Render(JsonElement document)
    {
        StringBuilder text = new();
        if (document.TryGetProperty("tree", out JsonElement root))
        {
            _ = text.AppendLine(CultureInfo.InvariantCulture, $"{"",-44} {"energy",20} {"95 % bounds, J",-15} {"power",8} {"95 %, W",-13}");
            Node(text, root, 0, default);
        }

        _ = text.AppendLine(document.True("sumsUp")
            ? "✓ every level adds up to the microjoule"
            : "✗ a level does not add up: this is a bug, please report it with a trace (keck-host record)");
        return text.ToString();
    }

    private static void Node(StringBuilder text, JsonElement node, int level, (string? Origin, string? Quality) above)
    {
        string name = new string(' ', level * 2) + (node.Text("name") ?? node.Text("id") ?? "?");
        bool hasChildren = node.Items("children").Any();
        _ = text.Append(CultureInfo.InvariantCulture, $"{name,-44} {Figures.Joules(node.Whole("energyMicrojoules")),20} {Figures.JouleBounds(node),-15} {Figures.Watts(node.Number("powerWatts")),8} {Figures.PowerBounds(node),-13}");
        if (node.Whole("kiloHertz") is { } kiloHertz)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"  {kiloHertz / 1e6:0.00} GHz");
        }

        if (node.Whole("instructions") is { } instructions)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"  {Figures.Count(instructions)} instructions");
        }

        if (node.Whole("llcMisses") is { } misses)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"  {Figures.Count(misses)} LLC misses");
        }

        // Once, where it comes from: the parts of one meter have its origin.
        if (node.Text("origin") is { } origin && (origin, node.Text("quality")) != above)
        {
            above = (origin, node.Text("quality"));
            _ = text.Append(CultureInfo.InvariantCulture, $"  {node.Text("quality")} ({origin})");
        }

        _ = text.AppendLine(hasChildren ? node.True("sumsUp") ? "  ✓" : "  ✗" : "");
        foreach (JsonElement child in node.Items("children"))
        {
            Node(text, child, level + 1, above);
        }
    }
}
