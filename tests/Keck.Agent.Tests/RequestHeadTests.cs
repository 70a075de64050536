using System.Text;

namespace Keck.Agent.Tests;

/// <summary>Heads of requests, good, bad and ambiguous.</summary>
public sealed class RequestHeadTests
{
    [Theory]
    [InlineData("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\nACCEPT: text/plain\r\naccept:application/json \r\nAuthorization: Bearer t\r\n\r\n", "GET /metrics a=b [text/plain, application/json] [Bearer t] stays")]
    [InlineData("HEAD http://x/healthz HTTP/1.1\r\nhost:\r\nConnection: Close\r\n\r\n", "HEAD /healthz  [] [] last")]
    [InlineData("GET / HTTP/1.0\r\n\r\n", "GET /  [] [] last")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "POST /  [] [] stays")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "POST /  [] [] last")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "POST /  [] [] last")]
    public void Parse_Good_SaysWhatWasAsked(string head, string what)
    {
        Assert.Equal(0, RequestHead.Parse(Encoding.Latin1.GetBytes(head), out RequestHead parsed));
        ApiRequest asked = parsed.Request;
        Assert.Equal(what, $"{asked.Method} {asked.Path} {asked.Query} [{asked.Accept}] [{parsed.Authorization}] {(parsed.Last ? "last" : "stays")}");
    }

    [Theory]
    [InlineData("\r\n\r\n", 400)]
    [InlineData("GET\r\n\r\n", 400)]
    [InlineData("GET /\r\n\r\n", 400)]
    [InlineData("GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET metrics HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /ä HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / FTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505)]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400)]
    public void Parse_Bad_GivesTheStatus(string head, int status) => Assert.Equal(status, RequestHead.Parse(Encoding.Latin1.GetBytes(head), out _));

    [Theory]
    [InlineData(63, 0)]
    [InlineData(64, 431)]
    public void Parse_ManyHeaders_AreBounded(int more, int status) => Assert.Equal(
        status,
        RequestHead.Parse(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", more))}\r\n"), out _));

    [Fact]
    public void Parse_AnyBytes_NeverThrows()
    {
        const int Seed = 17;
        Random random = new(Seed);
        byte[] good = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: a\r\n\r\n"u8.ToArray();
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = [.. good];
            for (int change = random.Next(4); change >= 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            Assert.Contains(RequestHead.Parse(bytes.AsSpan(random.Next(bytes.Length)), out _), new[] { 0, 400, 431, 505 });
        }
    }
}
