using System.Diagnostics;
using System.Runtime.CompilerServices;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol.Tests;

/// <summary>Our mirror of sockaddr_vm and our constants against the C compiler.</summary>
public sealed class VsockLayoutTests
{
    [Fact]
    public void SockaddrVm_AgainstTheHeaders_SameLayout()
    {
        SockaddrVm address = default;
        StatxOwner owner = default;
        string source = $$"""
            #define _GNU_SOURCE
            #include <stddef.h>
            #include <sys/stat.h>
            #include <fcntl.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            #include <linux/vm_sockets.h>
            _Static_assert(sizeof(struct sockaddr_vm) == {{Unsafe.SizeOf<SockaddrVm>()}}, "size");
            _Static_assert(sizeof(struct statx) == {{Unsafe.SizeOf<StatxOwner>()}} && (STATX_UID | STATX_GID) == {{LibC.StatxWantOwner}} && AT_FDCWD == {{LibC.AtWorkingDirectory}}, "statx");
            _Static_assert(offsetof(struct statx, stx_uid) == {{Unsafe.ByteOffset(ref Unsafe.As<StatxOwner, byte>(ref owner), ref Unsafe.As<uint, byte>(ref owner.Uid))}}, "stx_uid");
            _Static_assert(offsetof(struct statx, stx_gid) == {{Unsafe.ByteOffset(ref Unsafe.As<StatxOwner, byte>(ref owner), ref Unsafe.As<uint, byte>(ref owner.Gid))}}, "stx_gid");
            {{Offset("svm_family", ref address, ref address.Family)}}
            {{Offset("svm_reserved1", ref address, ref address.Reserved)}}
            {{Offset("svm_port", ref address, ref address.Port)}}
            {{Offset("svm_cid", ref address, ref address.Cid)}}
            _Static_assert(AF_VSOCK == {{LibC.FamilyVsock}} && SOCK_STREAM == {{LibC.SocketStream}} && SOCK_CLOEXEC == {{LibC.SocketCloseOnExec}}, "socket");
            _Static_assert(O_RDWR == {{LibC.OpenReadWrite}} && O_NOCTTY == {{LibC.OpenNoTerminal}}, "open");
            _Static_assert(O_NONBLOCK == {{LibC.OpenNonBlocking}} && O_CLOEXEC == {{LibC.OpenCloseOnExec}}, "open");
            _Static_assert(VMADDR_CID_ANY == 0xffffffffu && VMADDR_CID_HOST == {{ChannelEndpoint.Default.Cid}}, "cid");
            _Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) - 1 == {{UnixPath.MaxBytes}}, "sun_path");
            """;
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-fsyntax-only", "-x", "c", "-"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        gcc.StandardInput.Write(source);
        gcc.StandardInput.Close();
        string errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        Assert.True(gcc.ExitCode == 0, errors);
    }

    private static string Offset<T>(string member, ref SockaddrVm address, ref T field) =>
        $"_Static_assert(offsetof(struct sockaddr_vm, {member}) == {Unsafe.ByteOffset(ref Unsafe.As<SockaddrVm, byte>(ref address), ref Unsafe.As<T, byte>(ref field))}, \"{member}\");";
}
