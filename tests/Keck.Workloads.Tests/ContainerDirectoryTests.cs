namespace Keck.Workloads.Tests;

public sealed class ContainerDirectoryTests : IDisposable
{
    private const string Id = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
    private const string Uid = "6f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0";
    private const string Cri = """{"annotations":{"io.kubernetes.cri.container-name":"web","io.kubernetes.cri.sandbox-name":"web-1","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"UID"}}""";
    private const string Crio = """{"annotations":{"io.kubernetes.container.name":"web","io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":"prod","io.kubernetes.pod.uid":"UID"}}""";
    private const string Dockershim = """{"Name":"/k8s_web_web-1","Config":{"Labels":{"io.kubernetes.container.name":"web","io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":"prod","io.kubernetes.pod.uid":"UID"}}}""";

    private readonly FakeHost _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json", Cri, "containerd")]
    [InlineData("run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json", Cri, "containerd")]
    [InlineData("run/containers/storage/overlay-containers/ID/userdata/config.json", Crio, "crio")]
    [InlineData("var/lib/containers/storage/overlay-containers/ID/userdata/config.json", Crio, "crio")]
    [InlineData("var/lib/docker/containers/ID/config.v2.json", Dockershim, "docker")]
    public void Find_RuntimesFile_TellsContainerAndPod(string path, string content, string runtime)
    {
        _host.Write("rootfs/" + path.Replace("ID", Id, StringComparison.Ordinal), content.Replace("UID", Uid, StringComparison.Ordinal));
        Ask();
        Assert.Equal(new ContainerInfo(Id, "web", runtime, Uid), _host.Tracker.Containers.Find(Id));
        Assert.Equal(new PodInfo(Uid, "web-1", "prod"), _host.Tracker.Pods.Find(Uid));
    }

    [Fact]
    public void Find_PlainDocker_DropsTheSlash()
    {
        _host.Write($"rootfs/var/lib/docker/containers/{Id}/config.v2.json", """{"Name":"/db","Config":{"Labels":null}}""");
        Ask();
        Assert.Equal(new ContainerInfo(Id, "db", "docker", null), _host.Tracker.Containers.Find(Id));
    }

    [Fact]
    public void Find_Podman_TakesTheNameFromTheStoragesList()
    {
        _host.Write($"rootfs/var/lib/containers/storage/overlay-containers/{Id}/userdata/config.json", """{"annotations":{}}""");
        _host.Write("rootfs/var/lib/containers/storage/overlay-containers/containers.json", $$"""[{"id":"other","names":["x"]},7,{"id":"{{Id}}","names":["db"]}]""");
        Ask();
        Assert.Equal(new ContainerInfo(Id, "db", "podman", null), _host.Tracker.Containers.Find(Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"Name\":")]
    [InlineData("\0\u0001\u0002")]
    public void Find_GarbageFile_IsUnknownAndSaidOnce(string content)
    {
        _host.Write($"rootfs/var/lib/docker/containers/{Id}/config.v2.json", content);
        Ask();
        _host.Time.Advance(TimeSpan.FromHours(1));
        _host.Scanner.Answer();
        Assert.Null(_host.Tracker.Containers.Find(Id));
        Assert.Contains("malformed", Assert.Single(_host.Logger.Messages).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"Name\":5,\"Config\":[]}")]
    [InlineData("{\"Name\":\"\\ud800\",\"Config\":{\"Labels\":{\"io.kubernetes.pod.uid\":{}}}}")]
    public void Find_JsonOfAnotherShape_HasNoName(string content)
    {
        _host.Write($"rootfs/var/lib/docker/containers/{Id}/config.v2.json", content);
        Ask();
        Assert.Equal(new ContainerInfo(Id, null, "docker", null), _host.Tracker.Containers.Find(Id));
    }

    [Fact]
    public void Find_FileTooLong_IsUnknown()
    {
        _host.Write($"rootfs/var/lib/docker/containers/{Id}/config.v2.json", "{\"Name\":\"" + new string('x', 2_000_000) + "\"}");
        Ask();
        Assert.Null(_host.Tracker.Containers.Find(Id));
        Assert.Single(_host.Logger.Messages);
    }

    [Fact]
    public void Find_UnknownAtFirst_IsAskedAgainAfterAPauseThatGrows()
    {
        Ask();
        _host.Write($"rootfs/var/lib/docker/containers/{Id}/config.v2.json", """{"Name":"/db"}""");
        _host.Time.Advance(TimeSpan.FromMilliseconds(900));
        _host.Scanner.Answer();
        Assert.Null(_host.Tracker.Containers.Find(Id));
        _host.Time.Advance(TimeSpan.FromMilliseconds(200));
        _host.Scanner.Answer();
        Assert.Equal("db", _host.Tracker.Containers.Find(Id)?.Name);
    }

    [Fact]
    public void Find_PodKnownOnlyByItsDirectories_IsNamedByThem()
    {
        _ = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(_host.Proc)!, "rootfs/var/log/pods", $"prod_web-1_{Uid}"));
        _ = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(_host.Proc)!, "rootfs/var/lib/kubelet/pods/11112222-3333-4444-5555-666677778888"));
        _host.Tracker.Pods.Want(Uid);
        _host.Tracker.Pods.Want("11112222-3333-4444-5555-666677778888");
        _host.Scanner.Answer();
        Assert.Equal(new PodInfo(Uid, "web-1", "prod"), _host.Tracker.Pods.Find(Uid));
        Assert.Equal(new PodInfo("11112222-3333-4444-5555-666677778888", null, null), _host.Tracker.Pods.Find("11112222-3333-4444-5555-666677778888"));
    }

    [Fact]
    public void Resolve_ProcessInAContainer_AsksForItsNames()
    {
        _host.Write($"rootfs/run/containerd/io.containerd.runtime.v2.task/k8s.io/{Id}/config.json", Cri.Replace("UID", Uid, StringComparison.Ordinal));
        _host.WriteProcess(100, "nginx", 500, $"0::/kubepods/pod{Uid}/{Id}\n");
        _ = _host.AddThread(100, 100, 5_001_000_000);
        _host.Resolve();
        _host.Scanner.Answer();
        Assert.Equal("web", _host.Tracker.Containers.Find(Id)?.Name);
        Assert.Equal("prod", _host.Tracker.Pods.Find(Uid)?.Namespace);
    }

    private void Ask()
    {
        _host.Tracker.Containers.Want(Id);
        _host.Scanner.Answer();
    }
}
