using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Agent;

/// <summary>Reads the file, the environment and the flags, in rising order, and collects everything that is wrong.</summary>
internal static class OptionsLoader
{
    private const int MaxFileBytes = 1 << 20;

    /// <summary>Loads the options.</summary>
    /// <param name="table">What can be set.</param>
    /// <param name="file">The file named by <c>--config</c>, or null for the default.</param>
    /// <param name="environment">A variable's value, or null.</param>
    /// <param name="flags">Flags given, by key.</param>
    /// <param name="errors">One sentence for each thing that is wrong: where, what, what is allowed.</param>
    internal static AgentOptions Load(SettingTable table, string? file, Func<string, string?> environment, IReadOnlyDictionary<string, string> flags, out ImmutableArray<string> errors)
    {
        AgentOptions options = table.Defaults;
        string path = file ?? table.DefaultFile;
        List<string> wrong = [];
        foreach ((string key, string value) in ReadFile(file, path, wrong))
        {
            Setting? setting = table.All.FirstOrDefault(s => s.Key == key);
            if (setting is null)
            {
                wrong.Add($"{path}: '{key}' is not a setting; there are {string.Join(", ", table.All.Select(s => s.Key))}");
            }
            else if (setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"{path}: {key}: {problem}");
            }
        }

        foreach (Setting setting in table.All)
        {
            if (environment(setting.Variable) is { Length: > 0 } value && setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"environment {setting.Variable}: {problem}");
            }
        }

        foreach (Setting setting in table.All)
        {
            if (flags.TryGetValue(setting.Key, out string? value) && setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"{setting.Flag}: {problem}");
            }
        }

        if (wrong.Count == 0 && table.Check(options) is { } together)
        {
            wrong.Add(together);
        }

        errors = [.. wrong];
        return options;
    }

    /// <summary>Names among the environment's that look like settings and are none, such as <c>KECK_PROFIL</c>.</summary>
    // The cluster tells of services by variables too, such as KECK_HOST_PORT_9470_TCP and KECK_HOST_SERVICE_HOST.
    internal static ImmutableArray<string> Unknown(SettingTable table, IEnumerable<string> names) =>
    [
        .. names.Where(name => name.StartsWith("KECK_", StringComparison.Ordinal) && name is not "KECK_UPDATE_GOLDEN"
                && !name.Contains("_SERVICE_", StringComparison.Ordinal) && !name.Contains("_PORT", StringComparison.Ordinal)
                && !table.All.Any(setting => setting.Variable == name))
            .Order(StringComparer.Ordinal),
    ];

    private static Dictionary<string, string> ReadFile(string? file, string path, List<string> wrong)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            if (file is not null)
            {
                wrong.Add($"--config: there is no file '{file}'");
            }

            return values;
        }

        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                wrong.Add($"{path}: larger than 1 MiB, that is no configuration");
                return values;
            }

            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                Flatten("", document.RootElement, values);
            }
            else
            {
                wrong.Add($"{path}: must be a JSON object of settings, such as {{\"profile\": \"standard\"}}");
            }
        }
        catch (JsonException e)
        {
            wrong.Add($"{path}: not JSON{JsonFault.Say(e)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            wrong.Add($"{path}: cannot be read: {e.Message}");
        }

        return values;
    }

    private static void Flatten(string prefix, JsonElement element, Dictionary<string, string> values)
    {
        foreach (JsonProperty member in element.EnumerateObject())
        {
            string key = prefix + member.Name;
            switch (member.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    Flatten(key + ".", member.Value, values);
                    break;
                case JsonValueKind.Array:
                    values[key] = string.Join(',', member.Value.EnumerateArray().Select(item => item.ToString()));
                    break;
                case JsonValueKind.True:
                    values[key] = "true";
                    break;
                case JsonValueKind.False:
                    values[key] = "false";
                    break;
                default:
                    values[key] = member.Value.ToString();
                    break;
            }
        }
    }
}
