using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Keck.Agent;

/// <summary>One client of <see cref="SmallHost"/>: request after request, each within its time.</summary>
internal sealed class SmallConnection : IDisposable
{
    private const int FirstBuffer = 2 * 1024;

    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdlePatience = TimeSpan.FromSeconds(130);
    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FarewellPatience = TimeSpan.FromSeconds(2);

    private readonly NetworkStream _stream;
    private readonly ApiFront _front;
    private readonly SemaphoreSlim _answers;
    private byte[] _buffer = new byte[FirstBuffer];
    private int _length;
    private long _idleSince = TimeProvider.System.GetTimestamp();

    internal SmallConnection(Socket socket, ApiFront front, SemaphoreSlim answers)
    {
        socket.NoDelay = true;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _front = front;
        _answers = answers;
    }

    /// <summary>Since when it has asked for nothing, as a timestamp; null while it is being served.</summary>
    internal long? IdleSince => Volatile.Read(ref _idleSince) is > 0 and long since ? since : null;

    /// <summary>Lets the client go at once.</summary>
    internal void Abort() => _stream.Close();

    public void Dispose() => _stream.Dispose();

    /// <summary>Serves until the client or its time is over.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Top of the connection: a client that goes away, at whatever point, is not the agent's failure.")]
    internal async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (await HeadAsync(stop) is > 0 and int length)
            {
                Volatile.Write(ref _idleSince, 0);
                if (!await ServeAsync(length, stop))
                {
                    await FarewellAsync(stop);
                    break;
                }

                _length -= length;
                _buffer.AsSpan(length, _length).CopyTo(_buffer);
                Volatile.Write(ref _idleSince, TimeProvider.System.GetTimestamp());
            }
        }
        catch (Exception)
        {
            // Gone, or let go.
        }
    }

    // Length of the next head in the buffer, of what there is where it cannot become one; 0 when no more comes.
    private async Task<int> HeadAsync(CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_length == 0 ? IdlePatience : HeadPatience);
        int looked = 0;
        while (true)
        {
            int end = _buffer.AsSpan(looked, _length - looked).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return looked + end + 4;
            }

            looked = Math.Max(0, _length - 3);
            if (_length == _buffer.Length)
            {
                if (_length == RequestHead.MostBytes)
                {
                    return _length;
                }

                Array.Resize(ref _buffer, Math.Min(RequestHead.MostBytes, _length * 2));
            }

            int read = await _stream.ReadAsync(_buffer.AsMemory(_length), patience.Token);
            if (read == 0)
            {
                return 0;
            }

            if (_length == 0)
            {
                patience.CancelAfter(HeadPatience);
            }

            _length += read;
        }
    }

    // Answers the head; whether another may follow.
    private async Task<bool> ServeAsync(int length, CancellationToken stop)
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(0, length);
        int wrong = bytes.EndsWith("\r\n\r\n"u8) ? RequestHead.Parse(bytes, out RequestHead head) : NoHead(out head);
        await _answers.WaitAsync(stop);
        ApiResponse response;
        try
        {
            using PooledBuffer body = new();
            if (wrong != 0)
            {
                response = Problem.OfTransport(wrong).ToResponse();
                response.Body!(body);
            }
            else
            {
                response = _front.Answer(head.Request, head.Authorization, trusted: false, body);
            }

            if (response.Stream is null || head.Request.Method == "HEAD")
            {
                using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(SendPatience);
                bool last = wrong != 0 || head.Last, bodiless = wrong == 0 && head.Request.Method == "HEAD";
                await _stream.WriteAsync(Start(response, last, bodiless ? null : body.Written.Length, chunked: false), patience.Token);
                if (!bodiless)
                {
                    await _stream.WriteAsync(body.Written, patience.Token);
                }

                return !last;
            }
        }
        finally
        {
            _ = _answers.Release();
        }

        // A stream lasts as long as it was asked for, and holds no body: it takes no answer's place.
        using ChunkedStream chunks = new(_stream, head.Chunks, SendPatience);
        await _stream.WriteAsync(Start(response, head.Last, length: null, head.Chunks), stop);
        await response.Stream(chunks, stop);
        await chunks.EndAsync(stop);
        return !head.Last;
    }

    private static int NoHead(out RequestHead head)
    {
        head = default;
        return 431;
    }

    private static byte[] Start(ApiResponse response, bool last, int? length, bool chunked)
    {
        StringBuilder head = new(256);
        _ = head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {response.Status} {Problem.TitleOf(response.Status)}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Date: {TimeProvider.System.GetUtcNow():R}\r\nContent-Type: {response.ContentType}\r\n")
            .Append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
        void Field(string name, string? value) => _ = value is null ? head : head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        Field("Allow", response.Allow);
        Field("WWW-Authenticate", response.Authenticate);
        Field("Content-Length", length?.ToString(CultureInfo.InvariantCulture));
        Field("Transfer-Encoding", chunked ? "chunked" : null);
        Field("Connection", last ? "close" : null);
        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    // Closing with unread bytes would reset the connection, and the answer with it: what still comes is let pass for a moment.
    private async Task FarewellAsync(CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(FarewellPatience);
        _stream.Socket.Shutdown(SocketShutdown.Send);
        while (await _stream.ReadAsync(_buffer, patience.Token) > 0)
        {
        }
    }
}
