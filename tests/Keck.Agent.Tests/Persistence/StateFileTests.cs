using System.Text;

namespace Keck.Agent.Tests;

public sealed class StateFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_AfterSaves_IsTheNewest()
    {
        for (int i = 1; i <= 5; i++)
        {
            using StateFile file = StateFile.Open(_directory);
            byte[]? loaded = file.Load(out string? damaged);
            Assert.Equal((i == 1 ? null : Text(i - 1), null), (loaded is null ? null : Encoding.UTF8.GetString(loaded), damaged));
            file.Save(Encoding.UTF8.GetBytes(Text(i)), durable: i % 2 == 0);
        }

        static string Text(int i) => new((char)('a' + i), 10_000 - (1_000 * i));
    }

    [Fact]
    public void Load_NewestCutAnywhere_IsTheOneBefore()
    {
        using (StateFile file = StateFile.Open(_directory))
        {
            file.Save("before"u8, durable: false);
            file.Save("newest document"u8, durable: false);
        }

        string newest = Path.Combine(_directory, "state.0");
        byte[] whole = File.ReadAllBytes(newest);
        for (int length = 1; length < whole.Length; length++)
        {
            File.WriteAllBytes(newest, whole[..length]);
            AssertBefore();
        }

        for (int at = 0; at < whole.Length; at++)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 0x10;
            File.WriteAllBytes(newest, flipped);
            AssertBefore();
        }

        void AssertBefore()
        {
            using StateFile file = StateFile.Open(_directory);
            Assert.Equal("before", Encoding.UTF8.GetString(file.Load(out string? damaged) ?? []));
            Assert.Contains("state.0", damaged, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_DirectoryInUse_SaysSoAndWhatToDo()
    {
        using StateFile first = StateFile.Open(_directory);
        StateException e = Assert.Throws<StateException>(() => StateFile.Open(_directory));
        Assert.Contains("in use by another agent", e.Message, StringComparison.Ordinal);
        Assert.Contains("--state", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NotADirectory_SaysSo()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        Assert.Contains(file, Assert.Throws<StateException>(() => StateFile.Open(file)).Message, StringComparison.Ordinal);
    }
}
