using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Agent.Tests;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ApiHostTests : IDisposable
{
    private static readonly string[] Targets =
    [
        "/metrics", "/healthz", "/readyz", "/api/v1/node", "/api/v1/meters", "/api/v1/machines", "/api/v1/pods", "/api/v1/processes?top=2", "/api/v1/tree",
        "/api/v1/history?kind=domain", "/nothing", "/api/v1/processes?top=x", "/api/v1/pods/a%20b", "/api/v1/pods/%C3%A9",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("keck-http-").FullName;
    private readonly FakeAgent _agent = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task BothHosts_EveryTarget_AnswerTheSameBytes()
    {
        await using IApiHost kestrel = await StartAsync(ProfileKind.Standard);
        await using IApiHost listener = await StartAsync(ProfileKind.Minimal);
        using HttpClient client = new();
        using HttpClient unix = UnixClient(SocketPath);
        foreach (string target in Targets)
        {
            (int, string?, string) a = await GetAsync(client, kestrel.Addresses[0] + target);
            (int, string?, string) b = await GetAsync(client, listener.Addresses[0] + target);
            (int, string?, string) c = await GetAsync(unix, "http://keck" + target);
            Assert.Equal(a, b);
            Assert.Equal(a, c);
            Assert.NotEmpty(a.Item3);
        }
    }

    [Theory]
    [InlineData(ProfileKind.Standard)]
    [InlineData(ProfileKind.Minimal)]
    public async Task Hosts_OtherMethodsAndHead_AreAnsweredAsTheyShould(ProfileKind profile)
    {
        await using IApiHost host = await StartAsync(profile);
        using HttpClient client = new();
        using HttpResponseMessage post = await client.PostAsync(new Uri(host.Addresses[0] + "/api/v1/node"), null, Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        Assert.Equal(["GET", "HEAD"], post.Content.Headers.Allow);
        using var head = new HttpRequestMessage(HttpMethod.Head, host.Addresses[0] + "/metrics");
        using HttpResponseMessage answer = await client.SendAsync(head, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Theory]
    [InlineData(ProfileKind.Standard)]
    [InlineData(ProfileKind.Minimal)]
    public async Task Hosts_HostileBytesAndManyConnections_KeepServing(ProfileKind profile)
    {
        await using IApiHost host = await StartAsync(profile);
        var address = new Uri(host.Addresses[0]);
        string[] attacks =
        [
            "GET /" + new string('a', 60_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%zz%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "\0\u0001\u0002\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"X{i}: {i}\r\n")) + "\r\n",
            "POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\nx", "GET /metrics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n",
        ];
        List<Socket> held = [];
        foreach (string attack in attacks.Concat(Enumerable.Repeat("GET /he", 50)))
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port, Cancel);
            try
            {
                _ = await socket.SendAsync(Encoding.Latin1.GetBytes(attack), SocketFlags.None, Cancel);
            }
            catch (SocketException)
            {
                // Thrown out before it had said all: as it should be.
            }

            held.Add(socket);
        }

        using HttpClient client = new();
        Assert.Equal("ok\n", (await GetAsync(client, host.Addresses[0] + "/healthz")).Body);
        held.ForEach(socket => socket.Dispose());
        string[] all = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ => (await GetAsync(client, host.Addresses[0] + "/metrics")).Body));
        Assert.Single(all.Distinct());
    }

    [Fact]
    public async Task Kestrel_Token_IsAskedOfTcpAndNotOfTheUnixSocket()
    {
        string token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, "0123456789abcdef0123\n", Cancel);
        await using IApiHost host = await StartAsync(ProfileKind.Standard, options => options with { TokenFile = token });
        using HttpClient client = new();
        using HttpClient unix = UnixClient(SocketPath);
        string target = host.Addresses[0] + "/api/v1/node";
        using HttpResponseMessage refused = await client.GetAsync(new Uri(target), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.Single().Scheme);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0124");
        Assert.Equal(401, (await GetAsync(client, target)).Status);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0123");
        Assert.Equal(200, (await GetAsync(client, target)).Status);
        Assert.Equal(200, (await GetAsync(unix, "http://keck/api/v1/node")).Status);
    }

    [Theory]
    [InlineData(ProfileKind.Standard)]
    [InlineData(ProfileKind.Minimal)]
    public async Task Hosts_Token_IsBroughtByCommandsAndNotAskedOfProbes(ProfileKind profile)
    {
        string token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, "0123456789abcdef0123\n", Cancel);
        await using IApiHost host = await StartAsync(profile, options => options with { TokenFile = token });
        using HttpClient client = new();
        Assert.Equal(200, (await GetAsync(client, host.Addresses[0] + "/healthz")).Status);
        Assert.Equal(200, (await GetAsync(client, host.Addresses[0] + "/readyz")).Status);
        Assert.Equal(401, (await GetAsync(client, host.Addresses[0] + "/metrics")).Status);
        await using RemoteApi bare = RemoteApi.AtUrl(new Uri(host.Addresses[0]));
        ApiException refused = await Assert.ThrowsAsync<ApiException>(() => bare.GetAsync("/api/v1/node", Cancel));
        Assert.True(refused.WantsToken);
        Assert.StartsWith($"{host.Addresses[0]}/api/v1/node: 401", refused.Message, StringComparison.Ordinal);
        await using RemoteApi bringing = RemoteApi.AtUrl(new Uri(host.Addresses[0])).With(token);
        using System.Text.Json.JsonDocument node = await bringing.GetAsync("/api/v1/node", Cancel);
        Assert.Equal("keck-host", node.RootElement.Text("agent"));
    }

    [Fact]
    public async Task Kestrel_Certificate_ServesTls()
    {
        using RSA key = RSA.Create(2048);
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string file = Path.Combine(_folder, "certificate.pem");
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem(), Cancel);
        await using IApiHost host = await StartAsync(ProfileKind.Standard, options => options with { CertificateFile = file });
        Assert.StartsWith("https://", host.Addresses[0], StringComparison.Ordinal);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, served, _, _) => served?.Thumbprint == certificate.Thumbprint };
        using HttpClient client = new(handler);
        Assert.Equal("ok\n", (await GetAsync(client, host.Addresses[0] + "/healthz")).Body);
    }

    [Fact]
    public async Task Kestrel_UnixSocket_IsForOwnerAndGroupAndGoesAway()
    {
        // What a killed agent leaves behind: bound once, nobody listens.
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + ".tmp"));
            File.Move(SocketPath + ".tmp", SocketPath);
        }

        Assert.True(File.Exists(SocketPath));
        await using (await StartAsync(ProfileKind.Standard))
        {
            UnixFileMode mode = File.GetUnixFileMode(SocketPath);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, mode);
            ListenException living = await Assert.ThrowsAsync<ListenException>(() => StartAsync(ProfileKind.Standard));
            Assert.Contains("another agent serves there", living.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(SocketPath));
        await File.WriteAllTextAsync(SocketPath, "", Cancel);
        ListenException file = await Assert.ThrowsAsync<ListenException>(() => StartAsync(ProfileKind.Standard));
        Assert.Contains("no socket", file.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(SocketPath));
    }

    [Theory]
    [InlineData(ProfileKind.Standard)]
    [InlineData(ProfileKind.Minimal)]
    public async Task Start_PortInUse_SaysSo(ProfileKind profile)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;
        ListenException failure = await Assert.ThrowsAsync<ListenException>(() => StartAsync(profile, options => options with { Address = address }));
        Assert.Contains(address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("in use", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0:9470", false, "token file")]
    [InlineData("[::]:9470", false, "token file")]
    [InlineData("192.0.2.1:9470", false, "token file")]
    [InlineData("0.0.0.0:9470", true, "minimal profile")]
    [InlineData("localhost:9470", false, "must be an IP address")]
    [InlineData("127.0.0.1", false, "must be an IP address")]
    [InlineData("127.0.0.1:99999", false, "must be an IP address")]
    public async Task Start_UnsafeOrMalformedAddress_IsRefusedWithTheReason(string address, bool minimal, string reason)
    {
        ListenException failure = await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(minimal ? ProfileKind.Minimal : ProfileKind.Standard, options => options with { Address = address }));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_SeveralFaults_NamesThemAll()
    {
        var options = new ApiListenOptions { Address = "0.0.0.0:1", CertificateFile = "/nowhere/a.pem", UnixSocket = "relative.sock" };
        Assert.Equal(4, options.Validate(minimal: true).Count);
        Assert.Empty(new ApiListenOptions().Validate(minimal: true));
        Assert.Empty(new ApiListenOptions().Validate(minimal: false));
        Assert.Single(new ApiListenOptions { Address = null, UnixSocket = null }.Validate(minimal: false));
    }

    [Theory]
    [InlineData("token", "fewer than 16")]
    [InlineData("certificate", "certificate")]
    public async Task Check_FilesThatCannotServe_AreNamedBeforeTheStart(string kind, string words)
    {
        string file = Path.Combine(_folder, kind);
        await File.WriteAllTextAsync(file, "short", Cancel);
        ApiListenOptions options = kind == "token" ? Options() with { TokenFile = file } : Options() with { CertificateFile = file };
        Assert.Contains(words, Assert.Single(ApiHosts.Check(options, ProfileKind.Standard)), StringComparison.Ordinal);
        Assert.Empty(ApiHosts.Check(Options(), ProfileKind.Standard));
        Assert.Single(ApiHosts.Check(Options() with { Address = "0.0.0.0:1" }, ProfileKind.Minimal));
    }

    [Fact]
    public async Task Start_ShortToken_IsRefused()
    {
        string token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, "short", Cancel);
        ListenException failure = await Assert.ThrowsAsync<ListenException>(() => StartAsync(ProfileKind.Minimal, options => options with { TokenFile = token }));
        Assert.Contains("fewer than 16", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProfileKind.Standard)]
    [InlineData(ProfileKind.Minimal)]
    public async Task Hosts_Trace_IsStreamed(ProfileKind profile)
    {
        var agent = new FakeAgent(seconds: 1, trace: new TwoLines());
        await using IApiHost host = await ApiHosts.StartAsync(agent.Router(), Options(), profile, NullLoggerFactory.Instance, Cancel);
        using HttpClient client = new();
        Assert.Equal("{\"tick\":1}\n{\"tick\":2}\n", (await GetAsync(client, host.Addresses[0] + "/api/v1/trace?seconds=1")).Body);
    }

    private string SocketPath => Path.Combine(_folder, "host.sock");

    private ApiListenOptions Options() => new() { Address = "127.0.0.1:0", UnixSocket = SocketPath };

    private Task<IApiHost> StartAsync(ProfileKind profile, Func<ApiListenOptions, ApiListenOptions>? change = null) =>
        ApiHosts.StartAsync(_agent.Router(), (change ?? (options => options))(Options()), profile, NullLoggerFactory.Instance, Cancel);

    private static HttpClient UnixClient(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    private static async Task<(int Status, string? Type, string Body)> GetAsync(HttpClient client, string target)
    {
        using HttpResponseMessage response = await client.GetAsync(new Uri(target), Cancel);
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync(Cancel));
    }

    private sealed class TwoLines : ITraceFeed
    {
        public async Task StreamAsync(Stream to, TimeSpan length, CancellationToken cancellationToken)
        {
            await to.WriteAsync("{\"tick\":1}\n"u8.ToArray(), cancellationToken);
            await to.FlushAsync(cancellationToken);
            await to.WriteAsync("{\"tick\":2}\n"u8.ToArray(), cancellationToken);
        }
    }
}
