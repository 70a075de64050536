using Keck.Bench;

double attributionAndLedger = AttributionBench.Run(Console.Out);
DrainBench.Run(Console.Out, AttributionBench.ThreadCount, attributionAndLedger);
FrameBench.Run(Console.Out);
return 0;
