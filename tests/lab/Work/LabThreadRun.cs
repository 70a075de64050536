namespace Keck.Lab;

/// <summary>What a thread has run on one CPU in this tick.</summary>
internal struct LabThreadRun
{
    internal int Cpu;
    internal long Nanoseconds;
    internal double Shared;
    internal double KiloCycles;
}
