namespace Keck.Agent;

/// <summary>What the exit status means.</summary>
internal static class ExitCodes
{
    internal const int Ok = 0;

    /// <summary>It could not be done; stderr says why.</summary>
    internal const int Failed = 1;

    /// <summary>The call or the configuration is wrong.</summary>
    internal const int Usage = 2;
}
