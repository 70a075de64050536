namespace Keck.Lab;

/// <summary>A die in one step.</summary>
internal struct DieState
{
    /// <summary>Chance that all its cores are asleep.</summary>
    internal double Asleep;

    /// <summary>Core time that shares its awake cost.</summary>
    internal double CoreTime;
}
