namespace Keck.Virt;

/// <summary>Time that KVM spun on the host, waiting for a halted vCPU to be woken, since the machine started. Part of its vCPU threads' time.</summary>
/// <param name="SuccessNanoseconds">Polls that ended in a wake-up, ns.</param>
/// <param name="FailNanoseconds">Polls that ended in a real halt, ns.</param>
public readonly record struct HaltPoll(long SuccessNanoseconds, long FailNanoseconds);
