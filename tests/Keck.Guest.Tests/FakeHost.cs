using Google.Protobuf;
using Keck.VsockProtocol;

namespace Keck.Guest.Tests;

/// <summary>A host's counters of one machine, and its messages about them.</summary>
internal sealed class FakeHost
{
    private readonly List<long> _vcpus = [];
    private long _overhead;
    private long _dram;
    private ulong _interval;

    internal ByteString Epoch { get; set; } = ByteString.CopyFrom(Guid.NewGuid().ToByteArray());

    /// <summary>Whole energy of this machine since its account was opened, µJ.</summary>
    internal long Total => _vcpus.Sum() + _overhead + _dram;

    internal Welcome Welcome => new() { Version = 1, HostEpoch = Epoch, IntervalNanoseconds = 1_000_000_000 };

    /// <summary>Lets the machine use energy.</summary>
    internal void Use(long[] vcpus, long overhead, long dram)
    {
        for (int i = 0; i < vcpus.Length; i++)
        {
            if (_vcpus.Count == i)
            {
                _vcpus.Add(0);
            }

            _vcpus[i] += vcpus[i];
        }

        _overhead += overhead;
        _dram += dram;
    }

    /// <summary>What it says now.</summary>
    internal Budget Budget()
    {
        Budget budget = new() { Interval = ++_interval, OverheadActive = Figure(_overhead), DramActive = Figure(_dram) };
        foreach (long vcpu in _vcpus)
        {
            budget.VcpuActive.Add(Figure(vcpu));
        }

        return budget;
    }

    private static WireFigure Figure(long energy) => new()
    {
        EnergyMicrojoules = (ulong)energy,
        LowMicrojoules = (ulong)(energy * 9 / 10),
        HighMicrojoules = (ulong)(energy * 12 / 10),
        Quality = WireQuality.Measured,
        Origin = WireOrigin.Rapl,
    };
}
