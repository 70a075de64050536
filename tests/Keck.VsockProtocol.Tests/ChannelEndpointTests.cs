namespace Keck.VsockProtocol.Tests;

public sealed class ChannelEndpointTests
{
    [Theory]
    [InlineData("vsock:2:19269", ChannelTransport.Vsock, 2u, 19_269u, "")]
    [InlineData("vsock:4294967294:4294967294", ChannelTransport.Vsock, 4_294_967_294u, 4_294_967_294u, "")]
    [InlineData("unix:/run/keck/channel", ChannelTransport.Unix, 0u, 0u, "/run/keck/channel")]
    [InlineData("virtio-serial:/dev/virtio-ports/org.keck.energy.0", ChannelTransport.VirtioSerial, 0u, 0u, "/dev/virtio-ports/org.keck.energy.0")]
    [InlineData("none", null, 0u, 0u, "")]
    [InlineData("auto", null, 0u, 0u, "auto")]
    public void TryParse_Good_IsItAndWritesItAgain(string text, ChannelTransport? transport, uint cid, uint port, string path)
    {
        Assert.True(ChannelEndpoint.TryParse(text, out ChannelEndpoint endpoint, out string error), error);
        Assert.Equal(new ChannelEndpoint(transport, cid, port, path), endpoint);
        Assert.Equal(text, endpoint.ToString());
        Assert.Equal(transport is null, endpoint.Connector(Random.Shared) is null);
        Assert.Equal(text == "auto", endpoint.IsAuto);
    }

    [Theory]
    [InlineData("", "expected vsock:CID:PORT")]
    [InlineData("host", "expected vsock:CID:PORT")]
    [InlineData("None", "expected vsock:CID:PORT")]
    [InlineData("tcp:1.2.3.4:5", "expected vsock:CID:PORT")]
    [InlineData("vsock", "expected vsock:CID:PORT")]
    [InlineData("vsock:2", "expected vsock:CID:PORT")]
    [InlineData("vsock:2:", "expected vsock:CID:PORT")]
    [InlineData("vsock:2:19269:1", "expected vsock:CID:PORT")]
    [InlineData("vsock:-1:19269", "expected vsock:CID:PORT")]
    [InlineData("vsock: 2:19269", "expected vsock:CID:PORT")]
    [InlineData("vsock:4294967296:1", "expected vsock:CID:PORT")]
    [InlineData("vsock:4294967295:19269", "CID goes from 0 to 4294967294")]
    [InlineData("vsock:2:0", "PORT from 1 to 4294967294")]
    [InlineData("unix:relative", "must be absolute")]
    [InlineData("unix:", "must be absolute")]
    [InlineData("unix:/run/", "must be absolute and name a file")]
    [InlineData("virtio-serial:", "must be an absolute path")]
    [InlineData("virtio-serial:ttyS0", "must be an absolute path")]
    public void TryParse_Bad_SaysWhatIsAllowed(string text, string part)
    {
        Assert.False(ChannelEndpoint.TryParse(text, out _, out string error));
        Assert.Contains(part, error);
        Assert.Contains($"'{text}'", error);
    }

    [Fact]
    public void TryParse_PathTooLongForASocket_SaysHowLongItMayBe()
    {
        Assert.True(ChannelEndpoint.TryParse("unix:/" + new string('x', 106), out _, out _));
        Assert.False(ChannelEndpoint.TryParse("unix:/" + new string('é', 54), out _, out string error));
        Assert.Contains("109 bytes, and the kernel takes 107", error);
    }
}
