namespace Keck.Rigs.Tests;

/// <summary>
/// The kernel of an emulated machine has panicked. QEMU 7.2's emulation of nested SVM does that to a KVM host now and then: its kernel finds
/// itself with its guest's GS base, faults on its first per-CPU variable, and on each fault again. Nothing that runs in a machine is the cause.
/// </summary>
internal sealed class EmulatorException(string message, Exception? inner = null) : Exception(message, inner);
