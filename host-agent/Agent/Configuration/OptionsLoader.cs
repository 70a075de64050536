using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Host;

/// <summary>Reads the file, the environment and the flags, in rising order, and collects everything that is wrong.</summary>
internal static class OptionsLoader
{
    /// <summary>Where the file is unless <c>--config</c> says otherwise; it may be missing there.</summary>
    internal const string DefaultFile = "/etc/keck/host.json";

    private const int MaxFileBytes = 1 << 20;

    /// <summary>Loads the options.</summary>
    /// <param name="file">The file named by <c>--config</c>, or null for the default.</param>
    /// <param name="environment">A variable's value, or null.</param>
    /// <param name="flags">Flags given, by key.</param>
    /// <param name="errors">One sentence for each thing that is wrong: where, what, what is allowed.</param>
    internal static HostOptions Load(string? file, Func<string, string?> environment, IReadOnlyDictionary<string, string> flags, out ImmutableArray<string> errors)
    {
        HostOptions options = new();
        List<string> wrong = [];
        foreach ((string key, string value) in ReadFile(file, wrong))
        {
            Setting? setting = Settings.All.FirstOrDefault(s => s.Key == key);
            if (setting is null)
            {
                wrong.Add($"{file ?? DefaultFile}: '{key}' is not a setting; there are {string.Join(", ", Settings.All.Select(s => s.Key))}");
            }
            else if (setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"{file ?? DefaultFile}: {key}: {problem}");
            }
        }

        foreach (Setting setting in Settings.All)
        {
            if (environment(setting.Variable) is { Length: > 0 } value && setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"environment {setting.Variable}: {problem}");
            }
        }

        foreach (Setting setting in Settings.All)
        {
            if (flags.TryGetValue(setting.Key, out string? value) && setting.Apply(ref options, value) is { } problem)
            {
                wrong.Add($"{setting.Flag}: {problem}");
            }
        }

        errors = [.. wrong];
        return options;
    }

    private static Dictionary<string, string> ReadFile(string? file, List<string> wrong)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        string path = file ?? DefaultFile;
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
            wrong.Add($"{path}: not JSON: {e.Message}");
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
