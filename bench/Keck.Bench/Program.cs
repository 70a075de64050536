using Keck.Bench;

if (args is ["frames"])
{
    FrameBench.Run(Console.Out);
    return 0;
}

double attributionAndLedger = AttributionBench.Run(Console.Out);
DrainBench.Run(Console.Out, AttributionBench.ThreadCount, attributionAndLedger);
FrameBench.Run(Console.Out);
return 0;
