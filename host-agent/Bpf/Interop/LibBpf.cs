using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Keck.Bpf.Interop;

/// <summary>libbpf 1.x (&lt;bpf/libbpf.h&gt;, &lt;bpf/bpf.h&gt;): what loading, attaching and running our programs needs.</summary>
internal static unsafe partial class LibBpf
{
    internal const string Library = "libbpf.so.1";
    internal const uint TestRunOnCpu = 1; // <linux/bpf.h> BPF_F_TEST_RUN_ON_CPU
    private const int LongestText = 64 * 1024;

    private static readonly Lock TextLock = new();
    private static readonly StringBuilder Text = new();
    private static bool? _present;

    /// <summary>Whether the library is on this machine; looked for once, at the first call.</summary>
    internal static bool IsPresent
    {
        get
        {
            if (_present is not { } present)
            {
                present = NativeLibrary.TryLoad(Library, typeof(LibBpf).Assembly, null, out _);
                _present = present;
            }

            return present;
        }
    }

    /// <summary>bpf_object__open_mem: an object, or null with errno set. The bytes may go after the call.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__open_mem", SetLastError = true)]
    internal static partial nint OpenMemory(byte* bytes, nuint size, nint options);

    /// <summary>bpf_object__load: 0, or a negative errno.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__load")]
    internal static partial int Load(nint obj);

    /// <summary>bpf_object__close: frees maps and programs that nothing else holds.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__close")]
    internal static partial void CloseObject(nint obj);

    /// <summary>bpf_object__find_program_by_name: a program owned by the object, or null.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__find_program_by_name", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint FindProgram(nint obj, string name);

    /// <summary>bpf_object__find_map_by_name: a map owned by the object, or null.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__find_map_by_name", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint FindMap(nint obj, string name);

    /// <summary>bpf_map__fd: a descriptor owned by the object, or a negative errno.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map__fd")]
    internal static partial int MapDescriptor(nint map);

    /// <summary>bpf_map__set_max_entries: 0, or a negative errno (after the load).</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map__set_max_entries")]
    internal static partial int SetMaxEntries(nint map, uint entries);

    /// <summary>bpf_map__initial_value: where a data section's first content lies until the load.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map__initial_value")]
    internal static partial void* InitialValue(nint map, nuint* size);

    /// <summary>bpf_program__set_autoload: 0, or a negative errno (after the load).</summary>
    [LibraryImport(Library, EntryPoint = "bpf_program__set_autoload")]
    internal static partial int SetAutoload(nint program, [MarshalAs(UnmanagedType.U1)] bool load);

    /// <summary>bpf_program__fd: a descriptor owned by the object, or a negative errno.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_program__fd")]
    internal static partial int ProgramDescriptor(nint program);

    /// <summary>bpf_program__attach: a link, or null with errno set.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_program__attach", SetLastError = true)]
    internal static partial nint Attach(nint program);

    /// <summary>bpf_link__destroy: detaches; 0, or a negative errno.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_link__destroy")]
    internal static partial int DestroyLink(nint link);

    /// <summary>bpf_prog_test_run_opts: 0, or a negative errno (-ENXIO for a CPU that is offline).</summary>
    [LibraryImport(Library, EntryPoint = "bpf_prog_test_run_opts")]
    internal static partial int TestRun(int program, TestRunOptions* options);

    /// <summary>bpf_prog_get_fd_by_id: a descriptor the caller closes, or -ENOENT for a program that is not loaded.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_prog_get_fd_by_id")]
    internal static partial int OpenProgram(uint id);

    /// <summary>bpf_map_update_elem: 0, or a negative errno.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map_update_elem")]
    internal static partial int UpdateElement(int map, void* key, void* value, ulong flags);

    /// <summary>libbpf_set_print: from now on what libbpf says goes to <paramref name="print"/>.</summary>
    [LibraryImport(Library, EntryPoint = "libbpf_set_print")]
    internal static partial nint SetPrint(delegate* unmanaged[Cdecl]<int, byte*, nint, int> print);

    /// <summary>Keeps libbpf off standard error; what it says is held for <see cref="TakeText"/>.</summary>
    internal static void CaptureText()
    {
        // SAFETY: Print is static and lives as long as the process.
        _ = SetPrint(&Print);
    }

    /// <summary>What libbpf and the verifier have said since the last call.</summary>
    internal static string TakeText()
    {
        lock (TextLock)
        {
            string text = Text.ToString();
            _ = Text.Clear();
            return text;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, nint arguments)
    {
        if (level > 0)
        {
            return 0;
        }

        const int Size = 8192;
        byte* buffer = stackalloc byte[Size];
        // SAFETY: buffer has Size bytes and vsnprintf ends its text within them; arguments is the va_list that libbpf passed us.
        int length = Math.Min(LibC.Format(buffer, Size, format, arguments), Size - 1);
        if (length > 0)
        {
            lock (TextLock)
            {
                if (Text.Length < LongestText)
                {
                    _ = Text.Append(Encoding.UTF8.GetString(buffer, length));
                }
            }
        }

        return length;
    }
}
