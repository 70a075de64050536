namespace Keck.Agent;

/// <summary>Names of profiles on the command line, in metrics and JSON.</summary>
public static class ProfileNames
{
    /// <summary><c>minimal</c>, <c>standard</c> or <c>full</c>.</summary>
    public static string Name(this ProfileKind kind) => kind switch
    {
        ProfileKind.Minimal => "minimal",
        ProfileKind.Standard => "standard",
        _ => "full",
    };

    /// <summary>The profile of a name, or null for a name that is none.</summary>
    public static ProfileKind? Parse(string name) => name switch
    {
        "minimal" => ProfileKind.Minimal,
        "standard" => ProfileKind.Standard,
        "full" => ProfileKind.Full,
        _ => null,
    };
}
