using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary>Whose a file is.</summary>
internal static unsafe class NativeFiles
{
    /// <summary>Gives a file to the owner and group of another; throws <see cref="NativeException"/> where that may not be.</summary>
    internal static void GiveToOwnerOf(string file, string other)
    {
        StatxOwner owner = default;
        int failed;

        // SAFETY: owner is a local of the size of struct statx; the call writes into it and keeps no pointer.
        unsafe
        {
            failed = LibC.Statx(LibC.AtWorkingDirectory, other, 0, LibC.StatxWantOwner, &owner);
        }

        if (failed != 0)
        {
            throw new NativeException($"statx {other}", Marshal.GetLastPInvokeError());
        }

        if (LibC.Lchown(file, owner.Uid, owner.Gid) != 0)
        {
            throw new NativeException($"lchown {file}", Marshal.GetLastPInvokeError());
        }
    }
}
