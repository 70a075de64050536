using Keck.Metering;

namespace Keck.Host.Tests;

public sealed class ProfileFilesTests : IDisposable
{
    private static readonly MachineProfile Profile = new() { Host = "kvm-07", Cpus = 4, Models = [new PowerModel(PowerNeeds.Time, [1, 0, 0, 0, 0, 0, 0, 0], 0.1)] };

    private readonly string _folder = Directory.CreateTempSubdirectory("keck-profile-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_OverAnOlderOne_ReplacesItAndLeavesNothingBeside()
    {
        FileInfo file = new(Path.Combine(_folder, "profile.json"));
        File.WriteAllText(file.FullName, "older");
        ProfileFiles.Write(file, Profile);
        Assert.Null(ProfileFiles.Read(file, out MachineProfile? read));
        Assert.Equal("kvm-07", read!.Host);
        Assert.Equal([file.FullName], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_CannotBeMovedThere_LeavesWhatWasAndNothingBeside()
    {
        // A folder that is not empty stands there: the move fails after the whole file was written.
        string there = Path.Combine(_folder, "profile.json");
        _ = Directory.CreateDirectory(Path.Combine(there, "inside"));
        Exception? failed = Record.Exception(() => ProfileFiles.Write(new FileInfo(there), Profile));
        Assert.True(failed is IOException or UnauthorizedAccessException, $"{failed}");
        Assert.Equal([there], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Try_FolderMissing_FailsAndOneThatIsThereStaysAsItWas()
    {
        _ = Assert.ThrowsAny<IOException>(() => ProfileFiles.Try(new FileInfo(Path.Combine(_folder, "none", "profile.json"))));
        FileInfo file = new(Path.Combine(_folder, "profile.json"));
        File.WriteAllText(file.FullName, "older");
        ProfileFiles.Try(file);
        Assert.Equal("older", File.ReadAllText(file.FullName));
        Assert.Equal([file.FullName], Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/nowhere/profile.json")]
    [InlineData("/proc")]
    public void Read_NoProfile_SaysWhat(string path)
    {
        Assert.NotNull(ProfileFiles.Read(new FileInfo(path), out MachineProfile? read));
        Assert.Null(read);
    }
}
