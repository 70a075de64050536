using System.Globalization;
using System.Text;

namespace Keck.Virt.Tests;

/// <summary>A machine as text, for goldens.</summary>
internal static class MachineText
{
    internal static string Of(Machine machine)
    {
        StringBuilder text = new();
        Line(text, "uuid", machine.Uuid + (machine.Derived ? " (derived)" : ""));
        Line(text, "system", machine.SystemUuid);
        Line(text, "name", machine.Name);
        Line(text, "vcpus", machine.Vcpus.ToString(CultureInfo.InvariantCulture));
        Line(text, "memory", $"{machine.MemoryKibibytes} KiB");
        Line(text, "state", machine.State.ToString());
        Line(text, "manager", machine.Manager.ToString());
        Line(text, "pod", machine.PodUid);
        Line(text, "cgroup", machine.Cgroup);
        Line(text, "shared", machine.SharedCgroup);
        if (machine.Owner is { } owner)
        {
            Line(text, "owner", $"project={owner.Project} ({owner.ProjectId}) user={owner.User} ({owner.UserId}) flavor={owner.Flavor} display={owner.DisplayName}");
            foreach ((string key, string value) in owner.Tags)
            {
                Line(text, "tag", $"{key}={value}");
            }
        }

        foreach (MachineChannel channel in machine.Channels)
        {
            Line(text, "channel", $"{channel.Kind} {(channel.Path is null ? channel.Cid.ToString(CultureInfo.InvariantCulture) : channel.Path)}");
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, string? value)
    {
        if (value is not null)
        {
            // Escaped, so that the golden shows what would reach a reader.
            string shown = string.Concat(value.Select(c => c is < ' ' or > '~' ? $"\\u{(int)c:x4}" : c.ToString()));
            _ = text.Append(CultureInfo.InvariantCulture, $"{name}: {shown}\n");
        }
    }
}
