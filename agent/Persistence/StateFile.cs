using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Keck.Agent;

/// <summary>
/// One document kept over restarts, in two files of a directory that are written in turn: while one is being written the other is
/// whole. A kill loses nothing that was saved; a power cut loses what was not saved durably. One agent at a time has the directory.
/// </summary>
public sealed class StateFile : IDisposable
{
    // "KECKSTA1", sequence u64, length u32, CRC-32C of sequence, length and document u32; little endian.
    private const ulong Magic = 0x31415453_4B43454B;
    private const int HeaderBytes = 24;

    /// <summary>The largest document, bytes.</summary>
    public const int MostBytes = 256 << 20;

    private static readonly string[] Slots = ["state.0", "state.1"];

    private readonly string _directory;
    private readonly FileStream _lock;
    private readonly FileStream[] _slots;
    private ulong _sequence;

    private StateFile(string directory, FileStream held, FileStream[] slots) => (_directory, _lock, _slots) = (directory, held, slots);

    /// <summary>Takes a directory, made if missing.</summary>
    /// <exception cref="StateException">It cannot be written, or another agent has it.</exception>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The streams belong to the state file, or are disposed where it is not made.")]
    public static StateFile Open(string directory)
    {
        List<FileStream> opened = [];
        try
        {
            _ = Directory.CreateDirectory(directory);
            foreach (string name in (ReadOnlySpan<string>)["lock", .. Slots])
            {
                FileStreamOptions options = new()
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = name == "lock" ? FileShare.None : FileShare.Read,
                    BufferSize = 0,
                };
                if (!OperatingSystem.IsWindows())
                {
                    // Who may read counters often may learn what others compute.
                    options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                }

                opened.Add(new FileStream(Path.Combine(directory, name), options));
            }

            return new StateFile(directory, opened[0], [opened[1], opened[2]]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            opened.ForEach(stream => stream.Dispose());
            bool inUse = e is IOException && File.Exists(Path.Combine(directory, "lock")) && opened.Count == 0;
            string why = e is UnauthorizedAccessException ? "may not be written" : inUse ? "is in use by another agent" : $"cannot be used ({e.Message})";
            throw new StateException($"state directory {directory} {why}; give another with --state DIR, or --state none to count from zero at each start", e) { InUse = inUse };
        }
    }

    /// <summary>The newest whole document of a directory, which an agent may have; null where there is none.</summary>
    /// <exception cref="StateException">It may not be read.</exception>
    public static byte[]? Peek(string directory)
    {
        try
        {
            byte[]? newest = null;
            ulong last = 0;
            foreach (string name in Slots.Select(name => Path.Combine(directory, name)).Where(File.Exists))
            {
                // What the agent is writing just now is not whole; then the other one is the newest.
                using FileStream slot = new(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                if (Read(slot, out ulong sequence) is { } document && (newest is null || sequence > last))
                {
                    (newest, last) = (document, sequence);
                }
            }

            return newest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"state directory {directory} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The newest whole document, or null where there is none.</summary>
    /// <param name="damaged">Files that hold something else than a whole document, in words; null where there are none.</param>
    public byte[]? Load(out string? damaged)
    {
        byte[]? newest = null;
        List<string> broken = [];
        foreach (FileStream slot in _slots)
        {
            if (slot.Length == 0)
            {
                continue;
            }

            if (Read(slot, out ulong sequence) is not { } document)
            {
                broken.Add(Path.GetFileName(slot.Name));
            }
            else if (newest is null || sequence > _sequence)
            {
                (newest, _sequence) = (document, sequence);
            }
        }

        damaged = broken.Count == 0 ? null : $"{string.Join(" and ", broken)} of {_directory} not whole";
        return newest;
    }

    /// <summary>Saves a document.</summary>
    /// <param name="document">It.</param>
    /// <param name="durable">Whether it must be on the disk when this returns; otherwise the kernel has it, which outlives this process.</param>
    /// <exception cref="StateException">It could not be written; what was saved before is still there.</exception>
    public void Save(ReadOnlySpan<byte> document, bool durable)
    {
        if (document.Length > MostBytes)
        {
            throw new StateException($"the state is {document.Length} bytes, more than {MostBytes}");
        }

        ulong sequence = _sequence + 1;
        FileStream slot = _slots[sequence % 2];
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], document.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], Checksum(header[8..20], document));
        try
        {
            RandomAccess.Write(slot.SafeFileHandle, document, HeaderBytes);
            RandomAccess.Write(slot.SafeFileHandle, header, 0);
            if (durable)
            {
                slot.Flush(flushToDisk: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"the state cannot be written to {slot.Name}: {e.Message}; free some space, counters are kept in memory meanwhile", e);
        }

        _sequence = sequence;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FileStream slot in _slots)
        {
            slot.Dispose();
        }

        _lock.Dispose();
    }

    private static byte[]? Read(FileStream slot, out ulong sequence)
    {
        sequence = 0;
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (RandomAccess.Read(slot.SafeFileHandle, header, 0) < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic)
        {
            return null;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        if (length is < 0 or > MostBytes || length > slot.Length - HeaderBytes)
        {
            return null;
        }

        byte[] document = new byte[length];
        if (RandomAccess.Read(slot.SafeFileHandle, document, HeaderBytes) < length
            || BinaryPrimitives.ReadUInt32LittleEndian(header[20..]) != Checksum(header[8..20], document))
        {
            return null;
        }

        sequence = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        return document;
    }

    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> document)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in header)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        while (document.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(document));
            document = document[8..];
        }

        foreach (byte value in document)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
