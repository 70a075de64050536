using System.Collections.Immutable;
using Keck.Agent;

namespace Keck.Host.Tests;

public sealed class OptionsLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-options-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_FileEnvironmentAndFlag_LaterOnesWin()
    {
        string file = Write("""{"profile": "minimal", "idle": "proportional", "listen": "127.0.0.1:1"}""");
        HostOptions options = Load(
            file, name => name switch { "KECK_PROFILE" => "full", "KECK_LISTEN" => "127.0.0.1:2", _ => null },
            new Dictionary<string, string> { ["listen"] = "127.0.0.1:3" }, out ImmutableArray<string> errors);
        Assert.Empty(errors);
        Assert.Equal((ProfileKind.Full, Metering.IdlePolicy.Proportional, "127.0.0.1:3"), (options.Profile, options.Idle, options.Listen));
    }

    [Fact]
    public void Load_SeveralMistakes_NamesAllOfThemAndWhatIsAllowed()
    {
        string file = Write("""{"profil": "full", "idle": "nobody"}""");
        _ = Load(
            file, name => name == "KECK_RUNS" ? "magic" : null,
            new Dictionary<string, string> { ["exposeProcesses"] = "all" }, out ImmutableArray<string> errors);
        Assert.Collection(
            errors,
            error => Assert.Contains("'profil' is not a setting", error, StringComparison.Ordinal),
            error => Assert.Contains("idle: 'nobody' is none of separate, proportional, allocated", error, StringComparison.Ordinal),
            error => Assert.Contains("KECK_RUNS: 'magic'", error, StringComparison.Ordinal),
            error => Assert.Contains("--expose-processes: 'all' is not top:N", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("")]
    public void Load_FileThatIsNoConfiguration_SaysSoOnce(string text)
    {
        _ = Load(Write(text), _ => null, new Dictionary<string, string>(), out ImmutableArray<string> errors);
        Assert.Single(errors);
    }

    [Fact]
    public void Load_NamedFileMissing_IsAnError()
    {
        _ = Load(Path.Combine(_folder, "none.json"), _ => null, new Dictionary<string, string>(), out ImmutableArray<string> errors);
        Assert.Contains("there is no file", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RelativePaths_AreMadeWhole()
    {
        string here = Path.GetRelativePath(Environment.CurrentDirectory, _folder);
        HostOptions options = Load(
            Write($$$"""{"path": {"procfs": "{{{here}}}"}}"""), name => name == "KECK_PATH__SYSFS" ? here + "/" : null,
            new Dictionary<string, string> { ["path.rootfs"] = here }, out ImmutableArray<string> errors);
        Assert.Empty(errors);
        Assert.Equal((_folder, _folder, _folder), (options.ProcRoot, options.SysRoot, options.RootFs));
    }

    [Theory]
    [InlineData("/proc/")]
    [InlineData("/sys/../proc")]
    public void Load_OwnTreeWrittenOtherwise_IsThisMachines(string path)
    {
        HostOptions options = Load(Write("{}"), _ => null, new Dictionary<string, string> { ["path.procfs"] = path }, out ImmutableArray<string> errors);
        Assert.Empty(errors);
        Assert.True(options.OwnTrees);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no/such")]
    [InlineData("a\0b")]
    public void Load_PathThatIsNoDirectory_IsAnError(string path)
    {
        _ = Load(Write("{}"), _ => null, new Dictionary<string, string> { ["path.procfs"] = path }, out ImmutableArray<string> errors);
        Assert.Contains("is not a directory", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_Environment_NamesWhatIsNoSetting() => Assert.Equal(
        ["KECK_PATH_PROCFS", "KECK_PROFIL"],
        OptionsLoader.Unknown(Settings.Table,
        [
            "PATH", "KECK_PROFIL", "KECK_PROFILE", "KECK_PATH__PROCFS", "KECK_PATH_PROCFS", "KECK_CHANNEL", "KECK_CALIBRATION", "KECK_UPDATE_GOLDEN",
            "KECK_HOST_PORT_9470_TCP", "KECK_HOST_SERVICE_HOST",
        ]));

    private string Write(string text)
    {
        string file = Path.Combine(_folder, "host.json");
        File.WriteAllText(file, text);
        return file;
    }

    private static HostOptions Load(string? file, Func<string, string?> environment, IReadOnlyDictionary<string, string> flags, out ImmutableArray<string> errors) =>
        (HostOptions)OptionsLoader.Load(Settings.Table, file, environment, flags, out errors);
}
