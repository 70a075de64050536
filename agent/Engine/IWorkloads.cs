using Keck.Metering;

namespace Keck.Agent;

/// <summary>Who the threads belong to: gives each its process, and each process its place.</summary>
public interface IWorkloads
{
    /// <summary>Resolves what is new in the observation; called after the drain and before attribution. Must not block.</summary>
    void Resolve(Observation observation);

    /// <summary>Forgets a process row that is about to be released.</summary>
    void Forget(int process);
}
