namespace Keck.Lab;

/// <summary>What a thread does while it runs.</summary>
public enum InstructionClass
{
    /// <summary>Integer loops: many instructions, few misses.</summary>
    Integer,

    /// <summary>Wide vector arithmetic: dear instructions, lower clocks where the machine limits them.</summary>
    Vector,

    /// <summary>Dependent loads all over memory: few instructions, many misses.</summary>
    PointerChasing,

    /// <summary>Sequential reads and writes: traffic that the miss counter sees in part only, since it is prefetched.</summary>
    Streaming,

    /// <summary>Ciphers: many instructions of middling cost, no misses.</summary>
    Crypto,

    /// <summary>Requests: branches, cold code, system calls.</summary>
    Web,

    /// <summary>Waiting in a loop: pause instructions.</summary>
    Spinning,

    /// <summary>Kernel threads and interrupts.</summary>
    Kernel,
}
