using System.Globalization;
using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>vm-a's two busy processes: their energy by keck-guest and their time by the guest's kernel, around one tick.</summary>
internal sealed record NestedShareLook(
    long FirstMicrojoules,
    long SecondMicrojoules,
    long VcpuMicrojoules,
    long OtherVcpuMicrojoules,
    double FirstSeconds,
    double SecondSeconds,
    double BusySeconds)
{
    private const string Command =
        """
        set -e; api=http://127.0.0.1:9471/api/v1; read a </run/first; read b </run/second
        wget -qO- $api/node; echo; cat /proc/$a/schedstat /proc/$b/schedstat; grep '^cpu0 ' /proc/schedstat
        wget -qO- $api/processes/$a $api/processes/$b $api/node
        """;

    internal static async Task<NestedShareLook> TakeAsync(NestedDomain vm, CancellationToken cancellationToken)
    {
        NestedShareLook? look = null;
        CommandResult? last = null;
        try
        {
            // A process is known with its first tick.
            await Condition.HoldsAsync(
                async () => (last = await vm.RunAsync(Command, cancellationToken)).ExitCode == 0 && (look = Read(last.Output)) is not null,
                "figures of one tick",
                NestedAgents.Patience,
                cancellationToken);
        }
        catch (RigException late)
        {
            throw new RigException($"{vm.Name}: {late.Message}; last: {last?.Output}", late);
        }

        return look!;
    }

    private static NestedShareLook? Read(string output)
    {
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement node = Json(lines[0]);
        JsonElement[] after = NestedTree.Documents(string.Concat(lines[4..]));
        if (node.GetProperty("tick").GetInt64() != after[2].GetProperty("tick").GetInt64())
        {
            return null;
        }

        Dictionary<string, long> meters = node.GetProperty("domains").EnumerateArray()
            .ToDictionary(static domain => domain.GetProperty("meter").GetString()!, static domain => domain.GetProperty("energyMicrojoules").GetInt64());

        // Field 7: how long tasks ran on this CPU, ns, on the scheduler's clock as each task's own time; /proc/stat had far less there than its tasks together.
        double busy = long.Parse(lines[3].Split(' ')[7], CultureInfo.InvariantCulture) / 1e9;
        return new NestedShareLook(
            Energy(after[0]), Energy(after[1]), meters["vcpu-0"], meters["vcpu-1"], Ran(lines[1]), Ran(lines[2]), busy);
    }

    private static JsonElement Json(string line) => JsonSerializer.Deserialize<JsonElement>(line);

    private static long Energy(JsonElement process) => process.GetProperty("meters").GetProperty("vcpu-0").GetInt64();

    private static double Ran(string schedstat) => long.Parse(schedstat.Split(' ')[0], CultureInfo.InvariantCulture) / 1e9;
}
