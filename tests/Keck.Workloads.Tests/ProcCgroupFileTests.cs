using System.Text;

namespace Keck.Workloads.Tests;

public sealed class ProcCgroupFileTests
{
    private const string Id = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";

    [Theory]
    [InlineData("0::/system.slice/ssh.service\n", "/system.slice/ssh.service")] // v2
    [InlineData("0::/\n", "/")]
    [InlineData("0::/../../a/b\n", "/a/b")] // seen from inside a cgroup namespace
    [InlineData("4:memory:/docker/" + Id + "\n3:cpu,cpuacct:/docker/" + Id + "\n1:name=systemd:/x\n", "/docker/" + Id)] // v1
    [InlineData("4:memory:/m\n3:cpu,cpuacct:/c\n", "/c")]
    [InlineData("2:memory:/docker/" + Id + "\n1:name=systemd:/system.slice/a.service\n0::/system.slice/a.service\n", "/docker/" + Id)] // hybrid: the container wins
    [InlineData("2:memory:/m\n1:name=systemd:/system.slice/a.service\n0::/\n", "/system.slice/a.service")] // hybrid: not the empty root
    [InlineData("0::/with:colon\n", "/with:colon")]
    public void BestPath_AnyVersion_TakesThePathThatTellsMost(string content, string expected) =>
        Assert.Equal(expected, ProcCgroupFile.BestPath(Encoding.UTF8.GetBytes(content)));

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("::\n:\n0:")]
    [InlineData("0::relative\n")]
    public void BestPath_Garbage_IsNull(string content) => Assert.Null(ProcCgroupFile.BestPath(Encoding.UTF8.GetBytes(content)));
}
