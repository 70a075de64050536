using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary><c>struct termios</c> of &lt;termios.h&gt; (60 bytes with glibc) with room to spare: kept and given back unread.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct TerminalSettings;
