using System.Buffers.Text;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Keck.Guest;

/// <summary>
/// The budget as the kernel's powercap shows RAPL, so that tools made for it run in a guest unmodified: zone <c>intel-rapl:0</c>
/// (package-0: vCPUs, overhead and static part) and <c>intel-rapl:0:0</c> (dram). A file is replaced as a whole: no reader sees half a number.
/// </summary>
internal sealed partial class PowercapTree
{
    // 2^53 - 1 µJ, 9 GJ: what every reader takes without loss, and no machine counts through.
    private const long Range = (1L << 53) - 1;

    private readonly string _root;
    private readonly ILogger _logger;
    private bool _failed;

    private PowercapTree(string root, ILogger logger)
    {
        (_root, _logger) = (root, logger);
        Shown = (Read("intel-rapl:0"), Read("intel-rapl:0:0"));
    }

    /// <summary>What the tree says, µJ: an earlier run's figures, until this one's are written.</summary>
    internal (long Package, long Dram) Shown { get; private set; }

    /// <summary>Makes the tree; null where it cannot be made, which is said.</summary>
    /// <param name="root">What stands for /sys.</param>
    /// <param name="logger">Where what is wrong is said.</param>
    internal static PowercapTree? Create(string root, ILogger logger)
    {
        PowercapTree tree = new(Path.Combine(root, "class", "powercap"), logger);
        try
        {
            _ = Directory.CreateDirectory(Path.Combine(tree._root, "intel-rapl"));
            tree.Zone("intel-rapl:0", "package-0");
            tree.Zone("intel-rapl:0:0", "dram");
            return tree;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NoTree(logger, root, e.Message);
            return null;
        }
    }

    /// <summary>
    /// Shows cumulative energy, µJ. Less than is shown already changes nothing: a reader takes a counter that goes back for one that went
    /// through its whole range. After a kill the ledger is some seconds behind, and the host's next word brings it up again.
    /// </summary>
    internal void Write(long package, long dram)
    {
        Shown = (package, dram) = (Math.Max(package, Shown.Package), Math.Max(dram, Shown.Dram));
        try
        {
            Replace(FileOf("intel-rapl:0"), package % Range);
            Replace(FileOf("intel-rapl:0:0"), dram % Range);
            _failed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failed)
            {
                _failed = true;
                Log.NotWritten(_logger, _root, e.Message);
            }
        }
    }

    private string FileOf(string zone) => Path.Combine(_root, zone, "energy_uj");

    private long Read(string zone)
    {
        try
        {
            using FileStream file = File.OpenRead(FileOf(zone));
            Span<byte> text = stackalloc byte[20];
            int length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return Utf8Parser.TryParse(text[..length], out long value, out int used) && used > 0 && value is >= 0 and < Range ? value : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private void Zone(string zone, string name)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_root, zone)).FullName;
        File.WriteAllText(Path.Combine(directory, "name"), name + "\n");
        File.WriteAllText(Path.Combine(directory, "enabled"), "1\n");
        File.WriteAllText(Path.Combine(directory, "max_energy_range_uj"), string.Create(CultureInfo.InvariantCulture, $"{Range}\n"));
    }

    private static void Replace(string path, long value)
    {
        string next = path + ".new";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{value}\n"));
        File.Move(next, path, overwrite: true);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 7021, Level = LogLevel.Warning, Message = "No powercap-like tree at {Root}: {Why}; give another place with --powercap DIR, or none")]
        internal static partial void NoTree(ILogger logger, string root, string why);

        [LoggerMessage(EventId = 7022, Level = LogLevel.Warning, Message = "The powercap-like tree at {Root} stands still: {Why}")]
        internal static partial void NotWritten(ILogger logger, string root, string why);
    }
}
