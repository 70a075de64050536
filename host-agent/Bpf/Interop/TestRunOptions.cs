using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct bpf_test_run_opts of &lt;bpf/bpf.h&gt;: 80 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TestRunOptions
{
    internal nuint Size;
    internal nint DataIn;
    internal nint DataOut;
    internal uint DataSizeIn;
    internal uint DataSizeOut;
    internal nint ContextIn;
    internal nint ContextOut;
    internal uint ContextSizeIn;
    internal uint ContextSizeOut;
    internal uint ReturnValue;
    internal int Repeat;
    internal uint Duration;

    /// <summary>1 = BPF_F_TEST_RUN_ON_CPU of &lt;linux/bpf.h&gt;.</summary>
    internal uint Flags;

    internal uint Cpu;
    internal uint BatchSize;
}
