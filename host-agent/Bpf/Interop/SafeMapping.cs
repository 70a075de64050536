using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Interop;

/// <summary>A BPF array map in our address space, as records.</summary>
internal sealed unsafe class SafeMapping : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly nuint _length;

    private SafeMapping(nint address, nuint length)
        : base(ownsHandle: true)
    {
        SetHandle(address);
        _length = length;
    }

    /// <summary>Maps the first <paramref name="bytes"/> bytes of a map; throws where the kernel refuses.</summary>
    internal static SafeMapping Of(int map, long bytes)
    {
        nuint length = ((nuint)bytes + (nuint)Environment.SystemPageSize - 1) & ~((nuint)Environment.SystemPageSize - 1);
        nint address = LibC.Map(0, length, LibC.ProtRead | LibC.ProtWrite, LibC.MapShared, map, 0);
        return address == -1 ? throw new NativeException("mmap of a BPF map", Marshal.GetLastPInvokeError()) : new SafeMapping(address, length);
    }

    /// <summary>The mapping as records; valid until the mapping is disposed.</summary>
    internal Span<T> Records<T>(int count)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(IsClosed || IsInvalid, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nuint)count * (nuint)sizeof(T), _length);
        // SAFETY: the mapping has _length bytes from handle on, checked above; it is unmapped only in ReleaseHandle.
        return new Span<T>((void*)handle, count);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.Unmap(handle, _length) == 0;
}
