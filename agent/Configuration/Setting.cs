namespace Keck.Agent;

/// <summary>One thing that can be set: its flag, its key in the file (environment: KECK_ and the key in capitals, dots as __), and what it means.</summary>
/// <param name="Key">Key in the file, such as <c>path.procfs</c> (an object <c>path</c> with a member <c>procfs</c>).</param>
/// <param name="Value">Placeholder of the value in the help.</param>
/// <param name="Help">What it means and its default.</param>
/// <param name="Apply">Puts the text into the options, or returns what is wrong with it.</param>
internal sealed record Setting(string Key, string Value, string Help, Setting.Parser Apply)
{
    /// <summary>Puts a value into the options.</summary>
    /// <returns>Null, or what is wrong in words.</returns>
    internal delegate string? Parser(ref AgentOptions options, string text);

    /// <summary>The flag, such as <c>--path.procfs</c>.</summary>
    internal string Flag => "--" + string.Concat(Key.Select(c => char.IsUpper(c) ? "-" + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>The environment variable, such as <c>KECK_PATH__PROCFS</c>.</summary>
    internal string Variable => "KECK_" + Key.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();
}
