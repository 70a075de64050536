using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Keck.Rigs.Tests;

/// <summary>
/// What a test adds to the base initramfs: a second archive (cpio "newc", as the kernel's
/// Documentation/driver-api/early-userspace/buffer-format.rst describes it) that the kernel unpacks over the first.
/// </summary>
internal sealed class Initramfs
{
    private const int Folder = 0x41ed; // S_IFDIR | 0755
    private const int PlainFile = 0x8000; // S_IFREG
    private readonly SortedDictionary<string, (int Mode, byte[] Content)> _entries = new(StringComparer.Ordinal);

    /// <summary>A file of given content.</summary>
    /// <param name="path">Absolute path in the guest; folders above it are made.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="executable">0755 instead of 0644.</param>
    internal Initramfs Add(string path, ReadOnlySpan<byte> content, bool executable = false)
    {
        string name = path.TrimStart('/');
        for (int slash = name.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            _ = _entries.TryAdd(name[..slash], (Folder, []));
        }

        _entries[name] = (PlainFile | (executable ? 0x1ed : 0x1a4), content.ToArray());
        return this;
    }

    internal Initramfs AddText(string path, string text, bool executable = false) => Add(path, Encoding.UTF8.GetBytes(text), executable);

    /// <summary>A program of this machine, with the shared libraries that ldd(1) names, at their own paths.</summary>
    internal Initramfs AddProgram(string file, string path)
    {
        _ = Add(path, File.ReadAllBytes(file), executable: true);
        return AddLibrariesOf(file);
    }

    /// <summary>A shared library that is looked up while running, by its soname such as <c>libbpf.so.1</c>, with what it needs.</summary>
    internal Initramfs AddLibrary(string soname)
    {
        string line = Output("/sbin/ldconfig", "-p").Split('\n').FirstOrDefault(line => line.TrimStart().StartsWith(soname + " ", StringComparison.Ordinal))
            ?? throw new RigException($"this machine has no {soname}: eng/setup.sh test installs what the rigs need");
        string file = line[(line.IndexOf("=> ", StringComparison.Ordinal) + 3)..].Trim();
        _ = Add(file, File.ReadAllBytes(file), executable: true);
        return AddLibrariesOf(file);
    }

    /// <summary>Writes the base archive and this one behind it.</summary>
    internal void Write(string baseArchive, string target)
    {
        using FileStream stream = File.Create(target);
        stream.Write(File.ReadAllBytes(baseArchive));
        Pad(stream);
        foreach ((string name, (int mode, byte[] content)) in _entries)
        {
            Entry(stream, name, mode, content);
        }

        Entry(stream, "TRAILER!!!", 0, []);
    }

    private Initramfs AddLibrariesOf(string file)
    {
        foreach (string line in Output("ldd", file).Split('\n'))
        {
            // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)".
            string library = line.Split("=> ")[^1].Trim().Split(' ')[0];
            if (library.StartsWith('/') && !_entries.ContainsKey(library.TrimStart('/')))
            {
                _ = Add(library, File.ReadAllBytes(library), executable: true);
            }
        }

        return this;
    }

    private static string Output(string program, string argument)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    private static void Entry(FileStream stream, string name, int mode, byte[] content)
    {
        // magic, ino, mode, uid, gid, nlink, mtime, size, four device numbers, length of name with its zero, checksum
        stream.Write(Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"070701{0:x8}{mode:x8}{0:x8}{0:x8}{1:x8}{0:x8}{content.Length:x8}{0:x8}{0:x8}{0:x8}{0:x8}{name.Length + 1:x8}{0:x8}{name}\0")));
        Pad(stream);
        stream.Write(content);
        Pad(stream);
    }

    private static void Pad(FileStream stream)
    {
        while (stream.Position % 4 != 0)
        {
            stream.WriteByte(0);
        }
    }
}
