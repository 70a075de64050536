using System.Runtime.InteropServices;

namespace Keck.Metering;

/// <summary>
/// Compares an estimate with the truth, tick by tick. Within a window the distances of the bounds add linearly: a replay's bounds
/// do not tell their random part apart, so windows of several ticks are bounded more widely than need be, never more narrowly.
/// </summary>
public sealed class AccuracyScorer
{
    // 2 ÷ α of the interval score.
    private const double Penalty = 40;
    private const double LeastTruth = 1000;

    private readonly long _window;
    private readonly Dictionary<(string Kind, string Id), Account> _accounts = [];
    private readonly List<(string Kind, string Id)> _touched = [];
    private readonly WidthMedian _widths = new();
    private long _windowStart;
    private long _end;
    private long _ticks;
    private long _windows;
    private bool _windowOpen;
    private ErrorSum _windowError;
    private long _bounded;
    private long _covered;
    private long _above;
    private double _score;
    private double _scoredTruth;
    private double _staticEstimate;
    private double _staticTruth;
    private long _common;
    private long _known;
    private long? _notConserved;
    private bool _anyBounds;

    /// <summary>A comparison.</summary>
    /// <param name="windowNanoseconds">Length of a window; default one second.</param>
    public AccuracyScorer(long windowNanoseconds = 1_000_000_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(windowNanoseconds);
        _window = windowNanoseconds;
    }

    /// <summary>Adds one tick of both.</summary>
    /// <param name="estimate">The estimate.</param>
    /// <param name="truth">The truth, of the same tick.</param>
    /// <param name="lengthNanoseconds">Length of the tick.</param>
    public void Add(TickFigures estimate, TickFigures truth, long lengthNanoseconds)
    {
        ArgumentNullException.ThrowIfNull(estimate);
        ArgumentNullException.ThrowIfNull(truth);
        if (estimate.Tick != truth.Tick)
        {
            throw new TraceFormatException($"the estimate has tick {estimate.Tick} where the truth has tick {truth.Tick}: they are not of the same run, or one lacks ticks");
        }

        foreach (ref ConsumerFigure figure in CollectionsMarshal.AsSpan(truth.Consumers))
        {
            ref Account account = ref AccountOf(figure);
            _known += account.InTruth || figure.Kind == "system" ? 0 : 1;
            _common += !account.InTruth && account.InEstimate && figure.Kind != "system" ? 1 : 0;
            account.InTruth = true;
            account.Add(figure);
        }

        foreach (ref ConsumerFigure figure in CollectionsMarshal.AsSpan(estimate.Consumers))
        {
            if (figure.Kind is not ("machine" or "process" or "system"))
            {
                continue;
            }

            ref Account account = ref AccountOf(figure);
            _common += account.InTruth && !account.InEstimate && figure.Kind != "system" ? 1 : 0;
            account.InEstimate = true;
            account.Estimate(figure);
            _anyBounds |= !double.IsNaN(figure.High);
        }

        _staticEstimate += estimate.Static;
        _staticTruth += truth.Static;
        _ticks++;
        _windowOpen = true;
        _end += lengthNanoseconds;
        if (_end - _windowStart >= _window)
        {
            CloseWindow();
        }
    }

    /// <summary>Says whether a tick was conserved on every meter, as the trace has it.</summary>
    public void Conserved(bool exactly) => _notConserved = (_notConserved ?? 0) + (exactly ? 0 : 1);

    /// <summary>The figures. A last window that is not whole counts where it is at least half a window long.</summary>
    /// <exception cref="TraceFormatException">Nothing could be compared.</exception>
    public AccuracyReport Finish()
    {
        if (_windowOpen && (_end - _windowStart) * 2 >= _window)
        {
            CloseWindow();
        }

        if (_known > 0 && _common == 0)
        {
            throw new TraceFormatException("no machine or process of the truth is in the estimate: they are not of the same run");
        }

        ErrorSum all = default, machines = default, processes = default, packages = default, dram = default, system = default;
        double total = _accounts.Where(pair => pair.Key.Kind != "system").Sum(pair => pair.Value.Whole.Truth);
        double? worst = null;

        // A consumer that the estimate does not know has bounds of 0; an estimate without any bounds has none to be judged.
        _bounded = _anyBounds ? _bounded : 0;
        foreach (((string kind, string _), Account account) in _accounts)
        {
            if (kind == "system")
            {
                system.Add(account.Whole.Estimate, account.Whole.Truth);
                continue;
            }

            all.Add(account.Whole.Estimate, account.Whole.Truth);
            packages.Add(account.Package.Estimate, account.Package.Truth);
            dram.Add(account.Dram.Estimate, account.Dram.Truth);
            if (kind == "machine")
            {
                machines.Add(account.Whole.Estimate, account.Whole.Truth);
            }
            else
            {
                processes.Add(account.Whole.Estimate, account.Whole.Truth);
            }

            if (account.Whole.Truth > total / 100)
            {
                worst = Math.Max(worst ?? 0, Math.Abs(account.Whole.Estimate - account.Whole.Truth) / account.Whole.Truth);
            }
        }

        return new AccuracyReport
        {
            Ticks = _ticks,
            Windows = _windows,
            Consumers = _accounts.Keys.Count(key => key.Kind != "system"),
            Error = all.Ratio,
            MachineError = machines.Ratio,
            ProcessError = processes.Ratio,
            PackageError = packages.Ratio,
            DramError = dram.Ratio,
            SystemError = system.Ratio,
            StaticBias = _staticTruth > 0 ? (_staticEstimate - _staticTruth) / _staticTruth : null,
            WindowError = _windowError.Ratio,
            WorstConsumerError = worst,
            Bounded = _bounded,
            Coverage = Part(_covered),
            Above = Part(_above),
            MedianWidth = _anyBounds ? _widths.Value() : null,
            IntervalScore = _anyBounds && _scoredTruth > 0 ? _score / _scoredTruth : null,
            NotConserved = _notConserved,
        };
    }

    private double? Part(long count) => _bounded > 0 ? (double)count / _bounded : null;

    private ref Account AccountOf(in ConsumerFigure figure)
    {
        ref Account account = ref CollectionsMarshal.GetValueRefOrAddDefault(_accounts, (figure.Kind, figure.Id), out bool exists);
        if (!exists && _accounts.Count > FigureReader.MostConsumers)
        {
            throw new TraceFormatException($"more than {FigureReader.MostConsumers} consumers");
        }

        if (!account.Touched)
        {
            account.Touched = true;
            _touched.Add((figure.Kind, figure.Id));
        }

        return ref account;
    }

    private void CloseWindow()
    {
        foreach ((string Kind, string Id) key in _touched)
        {
            ref Account account = ref CollectionsMarshal.GetValueRefOrNullRef(_accounts, key);
            if (key.Kind != "system")
            {
                CloseWindow(account);
            }

            account.Window = default;
            (account.Low, account.High, account.Unbounded, account.Touched) = (0, 0, false, false);
        }

        _touched.Clear();
        _windows++;
        _windowStart = _end;
        _windowOpen = false;
    }

    private void CloseWindow(in Account account)
    {
        (double estimate, double truth) = account.Window;
        _windowError.Add(estimate, truth);
        if (truth <= LeastTruth || account.Unbounded)
        {
            return;
        }

        double below = Math.Max(0, account.Low - truth), above = Math.Max(0, truth - account.High);
        _bounded++;
        _covered += below == 0 && above == 0 ? 1 : 0;
        _above += above > 0 ? 1 : 0;
        _widths.Add((account.High - account.Low) / truth);
        _score += account.High - account.Low + (Penalty * (below + above));
        _scoredTruth += truth;
    }

    private struct Account
    {
        internal (double Estimate, double Truth) Whole;
        internal (double Estimate, double Truth) Package;
        internal (double Estimate, double Truth) Dram;
        internal (double Estimate, double Truth) Window;
        internal double Low;
        internal double High;
        internal bool Unbounded;
        internal bool Touched;
        internal bool InTruth;
        internal bool InEstimate;

        internal void Add(in ConsumerFigure truth)
        {
            Whole.Truth += truth.Total;
            Window.Truth += truth.Total;
            Package.Truth += truth.Package;
            Dram.Truth += truth.Dram;
        }

        internal void Estimate(in ConsumerFigure figure)
        {
            Whole.Estimate += figure.Total;
            Window.Estimate += figure.Total;
            Package.Estimate += figure.Package;
            Dram.Estimate += figure.Dram;
            if (double.IsNaN(figure.Low) || double.IsNaN(figure.High))
            {
                Unbounded = true;
                return;
            }

            Low += figure.Low;
            High += figure.High;
        }
    }
}
