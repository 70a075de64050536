using System.Security.Cryptography;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The packages as files: what linters say, what lies in them, and that they can be built again.</summary>
[Trait("Speed", "slow")]
public sealed class PackageFilesTests
{
    [Theory]
    [InlineData("keck-host")]
    [InlineData("keck-guest")]
    public async Task Deb_Lintian_FindsNothing(string name)
    {
        CommandResult found = await BuiltPackages.RunAsync(
            $"lintian --allow-root --fail-on error,warning {BuiltPackages.Path(name, "deb")}", TestContext.Current.CancellationToken);
        Assert.Equal("", found.Succeeded());
    }

    [Theory]
    [InlineData("keck-host")]
    [InlineData("keck-guest")]
    public async Task Rpm_Rpmlint_FindsNothing(string name)
    {
        CommandResult found = await BuiltPackages.RunAsync(
            $"rpmlint -c {Repository.PathOf("packaging", "rpmlint.toml")} {BuiltPackages.Path(name, "rpm")}", TestContext.Current.CancellationToken);
        Assert.Contains("1 packages and 0 specfiles checked; 0 errors, 0 warnings", found.Succeeded(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keck-host")]
    [InlineData("keck-guest")]
    public async Task Build_OfTheSameBinariesAtTheSameDate_GivesTheSameBytes(string name)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string[] built = [BuiltPackages.Path(name, "deb"), BuiltPackages.Path(name, "rpm")];
        DirectoryInfo again = Directory.CreateTempSubdirectory("keck-packages-");
        try
        {
            string date = (await BuiltPackages.RunAsync($"rpm -qp --qf '%{{BUILDTIME}}' {built[1]}", cancel)).Succeeded();
            await BuiltPackages.BuildAsync(name, again.FullName, $"SOURCE_DATE_EPOCH={date}", cancel);
            Assert.All(built, file => Assert.Equal(Digest(file), Digest(Path.Combine(again.FullName, Path.GetFileName(file)))));
        }
        finally
        {
            again.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("keck-host", "host")]
    [InlineData("keck-guest", "guest")]
    public async Task Rpm_IntoAnEmptyRoot_InstallsUpgradesAndErases(string name, string role)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        Assert.SkipUnless(Environment.UserName == "root", "rpm --root needs root");
        string first = BuiltPackages.Path(name, "rpm");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("keck-rpm-");
        try
        {
            await BuiltPackages.BuildAsync(name, folder.FullName, "VERSION=99.1.0 FORMATS=rpm", cancel);
            string second = Assert.Single(folder.GetFiles("*.rpm")).FullName;
            string root = Path.Combine(folder.FullName, "root");

            // The scripts find a shell there and nothing else: no systemd, no tools to make users.
            _ = (await BuiltPackages.RunAsync($"mkdir -p {root}/bin && cp /bin/busybox {root}/bin/ && for each in sh grep ls rm rmdir; do ln -s busybox {root}/bin/$each; done", cancel)).Succeeded();
            // The distribution's rpm would rather be asked twice, and has its list of packages in a home.
            string rpm = $"rpm --force-debian --root {root} --dbpath /var/lib/rpm";
            string files = $"cd {root} && find . -mindepth 1 ! -path './bin*' ! -path './var/lib/rpm*' ! -path './usr/lib/sysimage*' -printf '%M %u %p\\n' | sort -k3";

            Assert.Equal("", (await BuiltPackages.RunAsync($"{rpm} --nodeps -i {first}", cancel)).Succeeded());
            Assert.Equal("", (await BuiltPackages.RunAsync($"{rpm} --nodeps -V {name}", cancel)).Succeeded());
            string[] installed = (await BuiltPackages.RunAsync(files, cancel)).Succeeded().Split('\n');
            Assert.Contains($"-rwxr-xr-x root ./usr/bin/{name}", installed);
            Assert.Contains($"-rw-r--r-- root ./usr/lib/systemd/system/{name}.service", installed);
            Assert.Contains($"-rw-r--r-- root ./usr/lib/sysusers.d/{name}.conf", installed);
            Assert.Contains($"-rw-r--r-- root ./etc/keck/{role}.json", installed);
            Assert.DoesNotContain(installed, line => line[8] == 'w' || line[5] == 'w' || line[..10].Contains('s', StringComparison.Ordinal));

            // Counters and a setting of the owner's.
            _ = (await BuiltPackages.RunAsync($"mkdir -p {root}/var/lib/keck/{role} && echo state >{root}/var/lib/keck/{role}/state.0 && echo '{{}}' >{root}/etc/keck/{role}.json", cancel)).Succeeded();
            _ = (await BuiltPackages.RunAsync($"{rpm} --nodeps -U {second}", cancel)).Succeeded();
            Assert.Equal("99.1.0", (await BuiltPackages.RunAsync($"{rpm} -q --qf '%{{VERSION}}' {name}", cancel)).Succeeded());
            Assert.Equal("state", await ReadAsync(root, $"var/lib/keck/{role}/state.0", cancel));
            Assert.Equal("{}", await ReadAsync(root, $"etc/keck/{role}.json", cancel));

            _ = (await BuiltPackages.RunAsync($"{rpm} --nodeps -e {name}", cancel)).Succeeded();
            string[] left = (await BuiltPackages.RunAsync(files, cancel)).Succeeded().Split('\n');
            Assert.Equal([$"./etc/keck/{role}.json.rpmsave"], left.Where(line => line[0] == '-').Select(line => line.Split(' ')[2]));
            Assert.DoesNotContain(left, line => line.Contains("/keck-", StringComparison.Ordinal) || line.Contains("var/lib/keck", StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> ReadAsync(string root, string path, CancellationToken cancellationToken) =>
        (await File.ReadAllTextAsync(Path.Combine(root, path), cancellationToken)).Trim();

    private static string Digest(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
}
