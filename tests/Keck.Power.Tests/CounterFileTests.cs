namespace Keck.Power.Tests;

public sealed class CounterFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("keck-counter-").FullName;

    private string FilePath => Path.Combine(_directory, "energy_uj");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Read_ValueChangesInPlace_SeesIt()
    {
        File.WriteAllText(FilePath, "100\n");
        using CounterFile file = new(FilePath);
        Assert.Equal(100, file.Read().Value);
        File.WriteAllText(FilePath, "200\n");
        Assert.Equal(200, file.Read().Value);
    }

    [Fact]
    public void Read_FileRemovedUnderTheDescriptor_IsMissing()
    {
        File.WriteAllText(FilePath, "100\n");
        using CounterFile file = new(FilePath);
        _ = file.Read();
        File.Delete(FilePath);
        Assert.Equal(FileFault.Missing, file.Read().Fault);
        Assert.Equal(FileFault.Missing, file.Read().Fault);
    }

    [Fact]
    public void Read_FileComesBack_ReadsAgain()
    {
        using CounterFile file = new(FilePath);
        Assert.Equal(FileFault.Missing, file.Read().Fault);
        File.WriteAllText(FilePath, "5\n");
        Assert.Equal(new(5, FileFault.None), file.Read());
    }

    [Fact]
    public void Read_FileReplacedByRename_SeesTheNewOneInTime()
    {
        File.WriteAllText(FilePath, "100\n");
        using CounterFile file = new(FilePath);
        _ = file.Read();
        string next = FilePath + ".new";
        File.WriteAllText(next, "300\n");
        File.Move(next, FilePath, overwrite: true);
        long value = 0;
        for (int i = 0; i < 100 && value != 300; i++)
        {
            value = file.Read().Value;
        }

        Assert.Equal(300, value);
    }

    [Fact]
    public void Read_WarmedUp_AllocatesNothing()
    {
        File.WriteAllText(FilePath, "100\n");
        using CounterFile file = new(FilePath);
        for (int i = 0; i < 20; i++)
        {
            _ = file.Read();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 30; i++)
        {
            _ = file.Read();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
