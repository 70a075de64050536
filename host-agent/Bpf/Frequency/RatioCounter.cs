using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>Mean frequency from APERF and MPERF: base × ΔAPERF / ΔMPERF. Both stand still while the CPU is halted.</summary>
internal struct RatioCounter
{
    private ulong _aperf;
    private ulong _mperf;
    private bool _based;
    private long _last;

    /// <summary>Takes in a reading; kHz, or <see cref="Unobserved.Value"/> at the first one. A CPU that never woke keeps its last frequency.</summary>
    internal long Advance(ulong aperf, ulong mperf, long baseKiloHertz)
    {
        ulong actual = aperf - _aperf, reference = mperf - _mperf;
        bool based = _based;
        (_aperf, _mperf, _based) = (aperf, mperf, true);
        if (!based)
        {
            _last = Unobserved.Value;
        }
        else if (reference > 0)
        {
            UInt128 kiloHertz = (UInt128)actual * (ulong)baseKiloHertz / reference;
            // A reset of one counter would show as a frequency no CPU has.
            _last = kiloHertz > 0 && kiloHertz < 20_000_000 ? (long)kiloHertz : Unobserved.Value;
        }

        return _last;
    }
}
