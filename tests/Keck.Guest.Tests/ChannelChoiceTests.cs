using Keck.VsockProtocol;

namespace Keck.Guest.Tests;

public sealed class ChannelChoiceTests : IDisposable
{
    private const string Port = "org.keck.energy.0";
    private readonly string _root = Directory.CreateTempSubdirectory("keck-dev-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("vsock:7:9")]
    [InlineData("unix:/nowhere")]
    [InlineData("virtio-serial:/dev/nothing")]
    [InlineData("none")]
    public void Of_Configured_IsTaken(string text)
    {
        Touch("dev/vsock");
        Assert.True(ChannelEndpoint.TryParse(text, out ChannelEndpoint wanted, out _));
        Assert.Equal(wanted, Of(wanted).Endpoint);
    }

    [Fact]
    public void Of_AutoWithBoth_IsVsock()
    {
        Touch("dev/vsock");
        Touch("dev/virtio-ports/" + Port);
        ChannelChoice choice = Of(ChannelEndpoint.Auto);
        Assert.Equal("vsock:2:19269", choice.Endpoint.ToString());
        Assert.Contains("dev/vsock is there", choice.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AutoWithPort_IsThePort()
    {
        Touch("dev/virtio-ports/" + Port);
        ChannelChoice choice = Of(ChannelEndpoint.Auto);
        Assert.Equal($"virtio-serial:{_root}/dev/virtio-ports/{Port}", choice.Endpoint.ToString());
        Assert.Contains("there is no", choice.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AutoWithPortThatUdevHasNotNamed_IsItsDevice()
    {
        Touch("dev/vport1p1");
        Touch("dev/vport1p2");
        Touch("sys/class/virtio-ports/vport1p1/name", "org.other.0\n");
        Touch("sys/class/virtio-ports/vport1p2/name", Port + "\n");
        Assert.Equal($"virtio-serial:{_root}/dev/vport1p2", Of(ChannelEndpoint.Auto).Endpoint.ToString());
    }

    [Fact]
    public void Of_AutoWithNothing_IsNoneAndSaysWhatIsMissing()
    {
        Touch("sys/class/virtio-ports/vport1p2/name", Port + "\n");
        ChannelChoice choice = Of(ChannelEndpoint.Auto);
        Assert.Null(choice.Endpoint.Transport);
        Assert.False(choice.Endpoint.IsAuto);
        Assert.Contains("neither", choice.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_Channel_IsAuto() => Assert.True(new GuestOptions().Channel.IsAuto);

    private ChannelChoice Of(ChannelEndpoint wanted) => ChannelChoice.Of(wanted, Path.Combine(_root, "dev"), Path.Combine(_root, "sys"));

    private void Touch(string path, string text = "")
    {
        string file = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
