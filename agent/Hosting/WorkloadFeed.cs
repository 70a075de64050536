using Keck.Metering;
using Keck.Workloads;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>The workloads library as the engine and the outlets want it.</summary>
internal sealed class WorkloadFeed : IWorkloads, IWorkloadNames
{
    private readonly WorkloadTracker _tracker;

    private WorkloadFeed(WorkloadTracker tracker, ProcessScanner scanner) => (_tracker, Scanner) = (tracker, scanner);

    /// <summary>The medium tier: looks through procfs for memory, moves and names.</summary>
    internal ProcessScanner Scanner { get; }

    internal static WorkloadFeed Create(AgentOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger("Keck.Workloads");
        WorkloadTracker tracker = new(new WorkloadOptions { ProcRoot = options.ProcRoot, SysRoot = options.SysRoot, RootFs = options.RootFs }, time, logger);
        return new WorkloadFeed(tracker, new ProcessScanner(tracker, time, logger));
    }

    public void Resolve(Observation observation) => _tracker.Resolve(observation);

    public void Forget(int process) => _tracker.Forget(process);

    public PodName? Pod(string uid) =>
        _tracker.Pods.Find(uid) is { Name: { } name, Namespace: { } space } ? new PodName(space, name) : null;

    public ContainerName? Container(string id) =>
        _tracker.Containers.Find(id) is { Name: { } name } info ? new ContainerName(name, info.Runtime) : null;
}
