using System.CommandLine;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Lab;

/// <summary><c>keck-lab peers</c>: another project's formula over a trace.</summary>
internal static class PeersCommand
{
    internal static Command Create()
    {
        Argument<FileInfo> trace = new("TRACE") { Description = "trace to read" };
        Option<string> formula = new("--formula") { Description = string.Join(", ", PeerFormulas.Names), Required = true };
        Option<FileInfo> output = new("--out") { Description = "estimate to write, as keck-host replay does", Required = true };
        _ = formula.AcceptOnlyFromAmong(PeerFormulas.Names);
        Command command = new("peers", "what another project's formula says of a trace") { trace, formula, output };
        command.SetAction(parsed =>
        {
            try
            {
                using FileStream input = parsed.GetValue(trace)!.OpenRead();
                using TraceReader reader = new(input);
                using BufferedStream file = new(parsed.GetValue(output)!.Create(), 1 << 16);
                using Utf8JsonWriter json = new(file);
                PeerFormulas peer = new(parsed.GetValue(formula)!);
                while (reader.Read())
                {
                    peer.Write(reader.Observation, json);
                    json.Flush();
                    file.WriteByte((byte)'\n');
                    json.Reset();
                }

                return 0;
            }
            catch (Exception e) when (e is TraceFormatException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"keck-lab: {e.Message}");
                return 1;
            }
        });
        return command;
    }
}
