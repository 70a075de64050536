using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary><c>struct termios</c> of &lt;termios.h&gt;: 60 bytes with glibc and musl, with room to spare. What is not named here is given back unread.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct TerminalSettings
{
    /// <summary>ICANON and ECHO of asm-generic/termbits.h: whole lines only; what is typed is shown.</summary>
    internal const uint LinesAndEcho = 0x2 | 0x8;

    /// <summary><c>c_lflag</c>.</summary>
    [FieldOffset(12)]
    internal uint LocalFlags;

    /// <summary><c>c_cc[VTIME]</c>: tenths of a second that a read waits; 0 for no limit.</summary>
    [FieldOffset(22)]
    internal byte ReadTime;

    /// <summary><c>c_cc[VMIN]</c>: bytes that a read waits for.</summary>
    [FieldOffset(23)]
    internal byte ReadBytes;
}
