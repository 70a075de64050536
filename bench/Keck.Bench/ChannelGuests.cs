using System.Globalization;
using Keck.VsockProtocol;

namespace Keck.Bench;

/// <summary>So many guest agents over hybrid vsock sockets, for bench/channels.sh: each acknowledges every Mark and reports 20 consumers every fifth.</summary>
internal static class ChannelGuests
{
    private const int Lines = 20;
    private const ulong ReportEvery = 5;

    /// <summary>Serves until the time is over; then says what came in it.</summary>
    /// <param name="folder">Where the sockets <c>vm0</c>, <c>vm1</c> … are.</param>
    /// <param name="count">How many guests.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="output">One line: guests connected, frames and Budgets of all, seconds.</param>
    internal static async Task RunAsync(string folder, int count, double seconds, TextWriter output)
    {
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(seconds));
        ChannelClient[] clients =
        [
            .. Enumerable.Range(0, count).Select(guest => new ChannelClient(
                new UnixConnector(UnixListener.HybridVsock(Path.Combine(folder, $"vm{guest}"))),
                static () => new Hello { AgentVersion = "bench", Vcpus = 2 },
                new ChannelClientOptions { LongestWait = TimeSpan.FromSeconds(3) }, TimeProvider.System, new Random(guest))),
        ];
        long[] budgets = new long[count];
        int connected = 0;
        Task[] running = [.. clients.Select(async (client, guest) =>
        {
            Usage usage = Report();
            await foreach (ChannelEvent happened in client.RunAsync(stop.Token).ConfigureAwait(false))
            {
                switch (happened.Kind)
                {
                    case ChannelEventKind.Connected:
                        _ = Interlocked.Increment(ref connected);
                        break;
                    case ChannelEventKind.Mark:
                        _ = client.Post(new Ack { Interval = happened.Mark.Interval, BusyNanoseconds = { 1_000, 2_000 } });
                        break;
                    case ChannelEventKind.Budget:
                        budgets[guest]++;
                        if (happened.Budget.Interval % ReportEvery == 0)
                        {
                            usage.Seq++;
                            usage.Interval = happened.Budget.Interval;
                            _ = client.Post(usage);
                        }

                        break;
                }
            }
        })];
        await Task.WhenAll(running).ConfigureAwait(false);
        long frames = clients.Sum(client => client.Counts.FramesRead + client.Counts.FramesWritten);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{connected} {frames} {budgets.Sum()} {seconds}")).ConfigureAwait(false);
    }

    private static Usage Report()
    {
        Usage usage = new() { Seq = 0 };
        for (int line = 0; line < Lines; line++)
        {
            usage.Top.Add(new WireUsage { Kind = WireUsageKind.Process, Pid = (uint)(1_000 + line), Name = $"process-{line}", Energy = new WireFigure { EnergyMicrojoules = 1_000_000 } });
        }

        return usage;
    }
}
