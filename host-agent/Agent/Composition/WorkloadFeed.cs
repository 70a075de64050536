using Keck.Agent;
using Keck.Metering;
using Keck.Workloads;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>The workloads library as the engine and the outlets want it.</summary>
internal sealed class WorkloadFeed : IWorkloads, IWorkloadNames, IDisposable
{
    private readonly WorkloadTracker _tracker;

    private WorkloadFeed(WorkloadTracker tracker) => _tracker = tracker;

    internal static WorkloadFeed Create(HostOptions options, TimeProvider time, ILoggerFactory loggers) => new(new WorkloadTracker(
        new WorkloadOptions { ProcRoot = options.ProcRoot, SysRoot = options.SysRoot, RootFs = options.RootFs }, time, loggers.CreateLogger("Keck.Workloads")));

    public void Resolve(Observation observation) => _tracker.Resolve(observation);

    public void Forget(int process) => _tracker.Forget(process);

    public PodName? Pod(string uid) =>
        _tracker.Pods.Find(uid) is { Name: { } name, Namespace: { } space } ? new PodName(space, name) : null;

    public ContainerName? Container(string id) =>
        _tracker.Containers.Find(id) is { Name: { } name } info ? new ContainerName(name, info.Runtime) : null;

    public void Dispose()
    {
    }
}
