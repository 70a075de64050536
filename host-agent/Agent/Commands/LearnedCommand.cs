using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;

namespace Keck.Host;

/// <summary><c>keck-host learned</c>: what was learned of the meters, how it came about, and the way back. Reads what the agent saved; changes it only while none runs.</summary>
internal static class LearnedCommand
{
    internal static Command Create()
    {
        Option<long?> undo = new("--undo") { Description = "take this adoption back, and those that followed it on the same meter", HelpName = "ID" };
        Option<string?> forget = new("--forget") { Description = "forget what was learned of this meter", HelpName = "METER" };
        Option<bool> json = new("--json") { Description = "print the document of /api/v1/learned" };
        Command command = new("learned", "say what was learned of the meters and how, or take it back") { undo, forget, json };
        SettingFlags settings = new(Settings.Table, command, "state", "calibration", "path.procfs");
        command.SetAction(parsed =>
        {
            if (settings.Load(parsed) is not HostOptions options)
            {
                return ExitCodes.Usage;
            }

            (long? id, string? meter) = (parsed.GetValue(undo), parsed.GetValue(forget));
            if (id is not null && meter is not null)
            {
                return Say("--undo and --forget are two things: one at a time", ExitCodes.Usage);
            }

            if (options.State is not { } directory)
            {
                return Say("no state is kept (--state none), so that nothing learned outlives the agent; a running one shows it at /api/v1/learned", ExitCodes.Failed);
            }

            try
            {
                return id is null && meter is null
                    ? Show(directory, IdlePriors.For(options.ProcRoot), parsed.GetValue(json), parsed.InvocationConfiguration.Output)
                    : Change(directory, id, meter, options.Calibration is not null);
            }
            catch (StateException e)
            {
                return Say(e.InUse ? $"an agent has {directory}: stop it first (systemctl stop keck-host); nothing was changed" : e.Message, ExitCodes.Failed);
            }
            catch (TraceFormatException e)
            {
                return Say($"{directory}: {e.Message}", ExitCodes.Failed);
            }
        });
        return command;
    }

    private static int Show(string directory, IdlePrior? prior, bool asJson, TextWriter output)
    {
        if (StateFile.Peek(directory) is not { } document)
        {
            return Nothing(directory);
        }

        LearnedState state = new(document);
        IEnumerable<FloorFigure> floors = state.Floors.Where(pair => pair.Value.Watts is not null).Select(pair => FloorFigure.Of(pair.Key, new StaticFloor(null, pair.Value, prior)));
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(LearnedView.Of(floors, state.Adoptions, ApiView.Whole(state.SavedAt.UtcDateTime)), ApiJson.Default.LearnedDocument));
            return ExitCodes.Ok;
        }

        StringBuilder text = new();
        _ = text.Append(CultureInfo.InvariantCulture, $"Saved {state.SavedAt:u}. Static power:\n");
        foreach (FloorFigure floor in floors)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"  {floor.Meter,-20} {Watts(floor.Watts),10}  ± {floor.Uncertainty:P0}, by {LearnedView.Basis(floor.Basis)}\n");
        }

        _ = text.Append("Adoptions, the oldest first:\n");
        foreach (AdoptionEntry entry in state.Adoptions)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"  {entry.Id,5}  {entry.At:u}  {entry.Meter,-20} {Watts(entry.Before.Watts),10} -> {Watts(entry.After.Watts),10}  {entry.Why}{(entry.Undone ? " (taken back)" : "")}\n");
        }

        output.Write(text);
        return ExitCodes.Ok;
    }

    private static int Change(string directory, long? undo, string? forget, bool calibrated)
    {
        if (!Directory.Exists(directory))
        {
            return Nothing(directory);
        }

        // Whoever has the file has the directory: no agent starts meanwhile.
        using StateFile file = StateFile.Open(directory);
        if (file.Load(out _) is not { } document)
        {
            return Nothing(directory);
        }

        LearnedState state = new(document);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        if ((undo is { } id ? state.Undo(id, now) : state.Forget(forget!, now)) is { } problem)
        {
            return Say(problem, ExitCodes.Failed);
        }

        file.Save(state.Write().Span, durable: true);
        AdoptionEntry done = state.Adoptions[^1];
        return Say(
            $"{done.Meter}: {Watts(done.Before.Watts)} -> {Watts(done.After.Watts)}, from the next start on{(calibrated ? "; the machine profile is not asked again until it changes" : "")}. {(done.After.Watts is null ? "It is learned anew then." : "It is learned on from there.")}",
            ExitCodes.Ok);
    }

    private static string Watts(double? watts) => watts is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:0.00} W") : "prior";

    private static int Nothing(string directory) => Say($"{directory} holds no state: no agent has saved one there", ExitCodes.Failed);

    private static int Say(string text, int code)
    {
        Console.Error.WriteLine($"keck-host: {text}");
        return code;
    }
}
