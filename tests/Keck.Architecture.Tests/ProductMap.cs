using System.Text;

namespace Keck.Architecture.Tests;

/// <summary>
/// The table that the code is held to: every project of the product, its folder, and whom it may know.
/// docs/architecture.md shows the same table as a picture.
/// </summary>
internal static class ProductMap
{
    internal const string PictureBegin = "<!-- projects -->";
    internal const string PictureEnd = "<!-- /projects -->";

    internal static readonly ProductProject[] Projects =
    [
        new("Keck.Metering", "metering", "units, attribution, ledger, traces", [], "Keck.Metering.Tests", null, Pure: true),
        new("Keck.Workloads", "workloads", "processes, cgroups, containers, pods", ["Keck.Metering"], "Keck.Workloads.Tests", 3000),
        new("Keck.Power", "host-agent/Power", "energy sources", ["Keck.Metering"], "Keck.Power.Tests", 1000),
        new("Keck.Bpf", "host-agent/Bpf", "who ran where, from the kernel", ["Keck.Metering"], "Keck.Bpf.Tests", 2000),
        new("Keck.Virt", "host-agent/Virt", "virtual machines and their threads", ["Keck.Metering"], "Keck.Virt.Tests", 6000),
        new("Keck.Agent", "agent", "tick, history, API, metrics, profiles", ["Keck.Metering", "Keck.Workloads", "Keck.Power", "Keck.Bpf"], "Keck.Agent.Tests", 4000),
        new("Keck.VsockProtocol", "vsock-protocol", "channel between host and guest", [], "Keck.VsockProtocol.Tests", null),
        new("keck-guest", "guest-agent", "the agent inside a virtual machine", ["Keck.Metering", "Keck.Workloads", "Keck.Power", "Keck.Bpf", "Keck.VsockProtocol", "Keck.Agent"], "Keck.Guest.Tests", 7000),
        new("keck-host", "host-agent/Agent", "the host agent", ["Keck.Metering", "Keck.Workloads", "Keck.Power", "Keck.Bpf", "Keck.Virt", "Keck.VsockProtocol", "Keck.Agent"], "Keck.Host.Tests", 5000),
    ];

    /// <summary>Projects that are neither product nor tests: whom they may know.</summary>
    internal static readonly Dictionary<string, string[]> Others = new()
    {
        ["Keck.Bench"] = [.. Projects.Select(project => project.Name)],
        ["Keck.Architecture.Tests"] = [],
        ["Keck.Rigs.Tests"] = [],
        ["Keck.Lab"] = ["Keck.Metering"],
        ["Keck.Lab.Tests"] = ["Keck.Lab", "Keck.Metering"],
    };

    /// <summary>Whom a project may know, or null for a project that the table does not hold.</summary>
    internal static IReadOnlySet<string>? Allowed(string project)
    {
        if (Projects.FirstOrDefault(known => known.Name == project) is { } product)
        {
            return product.Knows.ToHashSet();
        }

        // Tests reach what the project under test reaches, never above it.
        if (Projects.FirstOrDefault(known => known.Tests == project) is { } tested)
        {
            return tested.Knows.Append(tested.Name).ToHashSet();
        }

        return Others.TryGetValue(project, out string[]? others) ? others.ToHashSet() : null;
    }

    /// <summary>The table as a Mermaid picture: arrows point at what is known.</summary>
    internal static string Picture()
    {
        StringBuilder text = new("```mermaid\nflowchart BT\n");
        foreach (ProductProject project in Projects)
        {
            _ = text.Append($"  {Id(project.Name)}[\"{project.Name}<br/>{project.Folder}/<br/>{project.Holds}\"]\n");
        }

        foreach (ProductProject project in Projects)
        {
            foreach (string known in project.Knows)
            {
                _ = text.Append($"  {Id(project.Name)} --> {Id(known)}\n");
            }
        }

        return text.Append("```\n").ToString();
    }

    private static string Id(string name) => name.Replace('.', '_').Replace('-', '_');
}
