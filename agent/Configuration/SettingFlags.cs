using System.Collections.Immutable;
using System.CommandLine;

namespace Keck.Agent;

/// <summary>The flags of a command that stand for settings, and the options they amount to.</summary>
internal sealed class SettingFlags
{
    private readonly ImmutableArray<(string Key, Option<string?> Flag)> _flags;
    private readonly Option<string?> _config;
    private readonly SettingTable _table;

    /// <summary>Adds the flags of these settings to a command; without keys, of all settings.</summary>
    internal SettingFlags(SettingTable table, Command command, params string[] keys)
    {
        _table = table;
        _config = new("--config") { Description = $"configuration file (default {table.DefaultFile})", HelpName = "FILE" };
        _flags =
        [
            .. table.All
                .Where(setting => keys.Length == 0 || keys.Contains(setting.Key))
                .Select(setting => (setting.Key, new Option<string?>(setting.Flag) { Description = setting.Help, HelpName = setting.Value })),
        ];
        command.Options.Add(_config);
        foreach ((_, Option<string?> flag) in _flags)
        {
            command.Options.Add(flag);
        }
    }

    /// <summary>The value that a setting's flag gives; null where it is not given.</summary>
    internal string? Given(ParseResult parsed, string key) => parsed.GetValue(_flags.Single(setting => setting.Key == key).Flag);

    /// <summary>Loads the options; prints everything that is wrong and returns null when anything is.</summary>
    internal AgentOptions? Load(ParseResult parsed)
    {
        Dictionary<string, string> given = new(StringComparer.Ordinal);
        foreach ((string key, Option<string?> flag) in _flags)
        {
            if (parsed.GetValue(flag) is { } value)
            {
                given[key] = value;
            }
        }

        AgentOptions options = OptionsLoader.Load(_table, parsed.GetValue(_config), Environment.GetEnvironmentVariable, given, out ImmutableArray<string> errors);
        foreach (string error in errors)
        {
            Console.Error.WriteLine($"{_table.Program}: {error}");
        }

        foreach (string name in OptionsLoader.Unknown(_table, Environment.GetEnvironmentVariables().Keys.Cast<string>()))
        {
            Console.Error.WriteLine($"{_table.Program}: warning: environment {name} is not a setting of {_table.Program}; it is ignored");
        }

        return errors.IsEmpty ? options : null;
    }
}
