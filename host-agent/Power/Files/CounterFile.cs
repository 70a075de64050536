using Microsoft.Win32.SafeHandles;

namespace Keck.Power;

/// <summary>
/// One descriptor, read at offset 0 each time: sysfs then asks the driver again. A file that is removed or replaced under
/// the descriptor is noticed when its number stops changing.
/// </summary>
internal sealed class CounterFile(string path) : ICounterFile
{
    /// <summary>A refused or failing open throws, which costs; it is tried again at every so many reads only.</summary>
    private const int RetryEvery = 16;

    /// <summary>So many unchanged reads, and the path is opened again: the file may have been replaced by a rename. Then at each doubling.</summary>
    private const int ReopenAfter = 64;

    private SafeFileHandle? _handle;
    private FileNumber _last = new(0, FileFault.Missing);
    private int _unchanged;
    private int _untilRetry;

    /// <inheritdoc/>
    public FileNumber Read()
    {
        if (_handle is null && !TryOpen())
        {
            return _last;
        }

        FileNumber number = ReadOpen();
        if (number == _last)
        {
            _unchanged++;
            if (!File.Exists(path))
            {
                Close(FileFault.Missing);
                return _last;
            }

            if (_unchanged >= ReopenAfter && int.IsPow2(_unchanged))
            {
                int unchanged = _unchanged;
                Close(FileFault.None);
                number = TryOpen() ? ReadOpen() : _last;
                _unchanged = unchanged;
            }
        }
        else
        {
            _unchanged = 0;
        }

        return _last = number;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle?.Dispose();

    private FileNumber ReadOpen()
    {
        Span<byte> buffer = stackalloc byte[64];
        try
        {
            int length = RandomAccess.Read(_handle!, buffer, fileOffset: 0);
            return FileNumber.Parse(buffer[..length]);
        }
        catch (IOException)
        {
            // ENODEV after the zone went, EIO, ENODATA: the descriptor is of no more use.
            Close(File.Exists(path) ? FileFault.Failed : FileFault.Missing);
        }
        catch (UnauthorizedAccessException)
        {
            Close(FileFault.Denied);
        }

        return _last;
    }

    private bool TryOpen()
    {
        if (_last.Fault is FileFault.Missing ? !File.Exists(path) : _untilRetry-- > 0)
        {
            return false;
        }

        try
        {
            // FileShare.ReadWrite: no flock on a kernel file.
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _unchanged = 0;
            _untilRetry = 0;
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            Close(FileFault.Missing);
        }
        catch (UnauthorizedAccessException)
        {
            Close(FileFault.Denied);
        }
        catch (IOException)
        {
            Close(FileFault.Failed);
        }

        return false;
    }

    private void Close(FileFault fault)
    {
        _handle?.Dispose();
        _handle = null;
        _last = new(0, fault);
        _untilRetry = fault is FileFault.Denied or FileFault.Failed ? RetryEvery : 0;
    }
}
