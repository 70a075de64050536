using System.Diagnostics;
using Keck.Workloads.Interop;

namespace Keck.Workloads.Tests;

public sealed class StatxLayoutTests
{
    [Fact]
    public async Task Offsets_AgainstTheKernelsHeader_Agree()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "needs gcc: run eng/setup.sh test");
        string source = $$"""
            #include <stddef.h>
            #include <fcntl.h>
            #include <errno.h>
            #include <linux/stat.h>
            _Static_assert(sizeof(struct statx) == {{LibC.StatxSize}}, "size");
            _Static_assert(offsetof(struct statx, stx_ino) == {{LibC.StatxInode}}, "inode");
            _Static_assert(STATX_INO == {{LibC.WantInode}}, "mask");
            _Static_assert(AT_FDCWD == {{LibC.CurrentDirectory}}, "at");
            _Static_assert(O_NONBLOCK == {{LibC.NonBlocking}} && O_CLOEXEC == {{LibC.CloseOnExec}}, "open");
            _Static_assert(EPERM == {{LibC.NotPermitted}} && ENOENT == {{LibC.NoEntry}} && ESRCH == {{LibC.NoProcess}}
                && EACCES == {{LibC.AccessDenied}} && ENOTDIR == {{LibC.NotDirectory}}, "errno");
            """;
        var start = new ProcessStartInfo("/usr/bin/gcc", ["-x", "c", "-fsyntax-only", "-"]) { RedirectStandardInput = true, RedirectStandardError = true };
        using Process gcc = Process.Start(start)!;
        await gcc.StandardInput.WriteAsync(source);
        gcc.StandardInput.Close();
        string errors = await gcc.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await gcc.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(gcc.ExitCode == 0, errors);
    }
}
