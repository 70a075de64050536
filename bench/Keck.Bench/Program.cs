using Keck.Bench;

AttributionBench.Run(Console.Out);
return 0;
