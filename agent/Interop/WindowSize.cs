using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary><c>struct winsize</c> of asm-generic/termios.h, 8 bytes: a terminal's size in characters, then in pixels.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WindowSize
{
    /// <summary><c>ws_row</c>; 0 where nobody has said.</summary>
    internal ushort Rows;

    /// <summary><c>ws_col</c>; 0 where nobody has said.</summary>
    internal ushort Columns;

    private readonly uint _pixels;
}
