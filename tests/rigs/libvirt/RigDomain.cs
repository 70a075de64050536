namespace Keck.Virt.Rig;

/// <summary>A domain of the rig.</summary>
/// <param name="Name">Unique in the rig.</param>
/// <param name="Kvm">Real KVM with a boot sector for a guest; software emulation otherwise.</param>
/// <param name="Burns">Whether the guest spins; it halts otherwise.</param>
/// <param name="Vcpus">How many.</param>
/// <param name="Iothreads">How many.</param>
/// <param name="Channel">Whether it has our virtio-serial port.</param>
/// <param name="Metadata">XML of its metadata; none when empty.</param>
internal sealed record RigDomain(string Name, bool Kvm = true, bool Burns = false, int Vcpus = 1, int Iothreads = 0, bool Channel = false, string Metadata = "");
