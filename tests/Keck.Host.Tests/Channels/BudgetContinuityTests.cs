using Google.Protobuf;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Host.Tests;

/// <summary>Two guests with the product's own client, through restarts of the host agent and cut channels: every millijoule once.</summary>
public sealed class BudgetContinuityTests : IDisposable
{
    private const int Guests = 2;
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-hub-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Budgets_ThroughRestartsAndCuts_AreExactAndEachGuestsOwn()
    {
        SkippingTime time = new();
        HubHost host = new(_folder, Guests, keepState: true, time: time);
        host.Tick();
        host.Tick();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Guest[] guests = [.. Enumerable.Range(0, Guests).Select(machine => new Guest(host.Door(machine), MadeUpMachines.Uuid(machine), machine))];
        Task[] running = [.. guests.Select(guest => guest.RunAsync(stop.Token))];
        Random random = new(20_261_124);
        int restarts = 0, cuts = 0;
        long before = host.Engine.Ledger().Meters.Sum(meter => meter.Total);
        for (int round = 0; round < 60; round++)
        {
            if (round % 10 == 9)
            {
                // Killed at any moment: what was told was saved.
                restarts++;
                MadeUpMachines source = host.Source.Again();
                await host.DisposeAsync();
                time.Skip(TimeSpan.FromMinutes(1));
                host = new HubHost(_folder, Guests, source, keepState: true, time: time);
                host.Tick();
            }
            else if (random.Next(4) == 0)
            {
                cuts++;
                guests[random.Next(Guests)].Cut();
                time.Skip(TimeSpan.FromMinutes(1));
            }

            await Until.TrueAsync(() => guests.All(guest => guest.Connected) || running.Any(task => task.IsCompleted), "both guests");
            host.Tick();
            long total = host.Engine.Ledger().Meters.Sum(meter => meter.Total);
            Assert.True(total > before);
            Assert.Equal(host.Source.Given, total);
            before = total;
        }

        // Whoever was cut in between has it all with the last budget.
        await Until.TrueAsync(() => guests.All(guest => guest.Connected) || running.Any(task => task.IsCompleted), "both guests");
        int looks = 0;
        await Until.TrueAsync(
            () =>
            {
                // A guest counts itself as connected before the host does: an interval that closes in between is told with the next.
                if (looks++ % 500 == 0)
                {
                    host.Tick();
                }

                return guests.All(guest => guest.Interval == host.Outlet.Interval) || running.Any(task => task.IsCompleted);
            },
            "the last budgets");
        for (int machine = 0; machine < Guests; machine++)
        {
            MachineTotals totals = host.Totals(machine);
            Assert.Equal([.. totals.Vcpus.Select(vcpu => vcpu.Microjoules / 1_000 * 1_000), totals.Overhead / 1_000 * 1_000], guests[machine].Booked);
            Assert.Equal(0, guests[machine].Faults);
            Assert.True(guests[machine].Connections > restarts);
        }

        LedgerSnapshot ledger = host.Engine.Ledger();
        foreach ((MeterTotals meter, int index) in ledger.Meters.Select((meter, index) => (meter, index)))
        {
            long machines = ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Machine).Sum(consumer => consumer.Active[index]);
            Assert.Equal(meter.Total, machines + meter.SystemActive + meter.UnattributedActive + meter.IdleSeparate);
        }

        Assert.True(restarts >= 5 && cuts >= 5);
        await stop.CancelAsync();
        await Task.WhenAll(running);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Tell_StateCannotBeSaved_TellsNothing()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "/dev/full is not there");
        string state = Path.Combine(_folder, "state");
        _ = Directory.CreateDirectory(state);
        _ = File.CreateSymbolicLink(Path.Combine(state, "state.0"), "/dev/full");
        _ = File.CreateSymbolicLink(Path.Combine(state, "state.1"), "/dev/full");
        await using HubHost host = new(_folder, 1, keepState: true);
        host.Tick();
        host.Tick();
        (RawGuest guest, _) = await RawGuest.EnterAsync(host.Door(0));
        host.Tick();
        host.Tick();
        await using (RawGuest next = (await RawGuest.EnterAsync(host.Door(0))).Guest)
        {
            List<IMessage> told = await guest.ReadToEndAsync();
            Assert.Contains(told, message => message is Mark);
            Assert.DoesNotContain(told, message => message is Budget);
        }

        await guest.DisposeAsync();
    }

    /// <summary>A guest that books what is new in each budget, as the guest agent does.</summary>
    private sealed class Guest(string door, string uuid, int seed) : IChannelConnector
    {
        private readonly List<long> _booked = [];
        private readonly List<ulong> _counters = [];
        private ChannelClient? _client;
        private ByteString? _epoch;
        private ChannelConnection? _connection;
        private ulong _interval;

        internal IReadOnlyList<long> Booked => _booked;

        internal ulong Interval => Volatile.Read(ref _interval);

        internal bool Connected => _client?.IsConnected == true && Volatile.Read(ref _cut) == 0;

        internal long Faults => _client!.Counts.Faults;

        internal long Connections => _client!.Counts.Connections;

        private int _cut;

        internal void Cut()
        {
            Volatile.Write(ref _cut, 1);
            _ = _connection!.DisposeAsync().AsTask();
        }

        public async ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken)
        {
            _connection = await new UnixConnector(door).ConnectAsync(cancellationToken);
            return _connection;
        }

        internal async Task RunAsync(CancellationToken cancellationToken)
        {
            ChannelClientOptions options = new() { FirstWait = TimeSpan.FromMilliseconds(20), LongestWait = TimeSpan.FromMilliseconds(200) };
            _client = new ChannelClient(this, () => RawGuest.Hello(), options, TimeProvider.System, new Random(seed));
            await foreach (ChannelEvent happened in _client.RunAsync(cancellationToken))
            {
                switch (happened.Kind)
                {
                    case ChannelEventKind.Connected:
                        Assert.Equal(uuid, happened.Welcome.MachineUuid);
                        Assert.Equal(_epoch ??= happened.Welcome.HostEpoch, happened.Welcome.HostEpoch);
                        Volatile.Write(ref _cut, 0);
                        break;
                    case ChannelEventKind.Mark:
                        _ = _client.Post(new Ack { Interval = happened.Mark.Interval });
                        break;
                    case ChannelEventKind.Budget:
                        Book(happened.Budget);
                        break;
                }
            }
        }

        private void Book(Budget budget)
        {
            Assert.True(budget.Interval > _interval);
            ulong[] figures = [.. budget.VcpuActive.Select(figure => figure.EnergyMicrojoules), budget.OverheadActive.EnergyMicrojoules];
            for (int i = 0; i < figures.Length; i++)
            {
                if (_counters.Count <= i)
                {
                    _counters.Add(0);
                    _booked.Add(0);
                }

                Assert.True(figures[i] >= _counters[i], "a counter never goes back");
                _booked[i] += (long)(figures[i] - _counters[i]);
                _counters[i] = figures[i];
            }

            Volatile.Write(ref _interval, budget.Interval);
        }
    }
}
