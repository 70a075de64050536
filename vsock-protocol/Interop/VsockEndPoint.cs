using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary>An AF_VSOCK address as the managed <see cref="Socket"/> takes it. It knows no such family, so the bytes are put in by hand.</summary>
internal sealed class VsockEndPoint(uint cid, uint port) : EndPoint
{
    internal uint Cid => cid;

    internal uint Port => port;

    public override AddressFamily AddressFamily => AddressFamily.Unknown;

    public override SocketAddress Serialize()
    {
        // The constructor wants a family that it knows; the bytes below replace all that it writes.
        var address = new SocketAddress(AddressFamily.Unix, 16) { Size = 16 };
        SockaddrVm native = new() { Family = LibC.FamilyVsock, Port = port, Cid = cid };
        MemoryMarshal.Write(address.Buffer.Span, native);
        return address;
    }

    public override EndPoint Create(SocketAddress socketAddress)
    {
        SockaddrVm native = MemoryMarshal.Read<SockaddrVm>(socketAddress.Buffer.Span);
        return new VsockEndPoint(native.Cid, native.Port);
    }

    public override string ToString() => $"vsock:{cid}:{port}";
}
