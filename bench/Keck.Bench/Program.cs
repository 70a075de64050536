using System.Globalization;
using Keck.Bench;

if (args is ["attribution"])
{
    AttributionBench.Run(Console.Out);
    DrainBench.Run(Console.Out, AttributionBench.ThreadCount);
    return 0;
}

if (args is ["drain"])
{
    DrainBench.Run(Console.Out, AttributionBench.ThreadCount);
    return 0;
}

if (args is ["frames"])
{
    FrameBench.Run(Console.Out);
    return 0;
}

if (args is ["channel-guests", var folder, var count, var seconds])
{
    await ChannelGuests.RunAsync(folder, int.Parse(count, CultureInfo.InvariantCulture), double.Parse(seconds, CultureInfo.InvariantCulture), Console.Out);
    return 0;
}

AttributionBench.Run(Console.Out);
DrainBench.Run(Console.Out, AttributionBench.ThreadCount);
FrameBench.Run(Console.Out);
return 0;
