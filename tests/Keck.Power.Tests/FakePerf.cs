using Keck.Metering;

namespace Keck.Power.Tests;

/// <summary>Stands for the kernel's power PMUs: counts are set by the test.</summary>
internal sealed class FakePerf : IPerfCounters
{
    private readonly Dictionary<(int Type, ulong Config, int Cpu), Counter> _open = [];

    /// <summary>Set to refuse every open.</summary>
    internal Absence? Refuse { get; set; }

    internal IReadOnlyCollection<(int Type, ulong Config, int Cpu)> Opened => _open.Keys;

    public IPerfCounter? Open(int type, ulong config, int cpu, out Absence reason)
    {
        reason = Refuse ?? default;
        return Refuse is null ? _open[(type, config, cpu)] = new Counter() : null;
    }

    internal void Set(int type, ulong config, int cpu, ulong count) => _open[(type, config, cpu)].Count = count;

    internal void Offline(int type, ulong config, int cpu) => _open[(type, config, cpu)].IsOffline = true;

    private sealed class Counter : IPerfCounter
    {
        internal ulong Count { get; set; }

        internal bool IsOffline { get; set; }

        public bool TryRead(out ulong count)
        {
            count = Count;
            return !IsOffline;
        }

        public void Dispose()
        {
        }
    }
}
