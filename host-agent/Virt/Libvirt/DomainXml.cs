using System.Collections.Immutable;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Keck.Virt;

/// <summary>Reads a domain's XML: size bounded, no DTD, no entities, nothing fetched. Owners write parts of it.</summary>
internal static class DomainXml
{
    internal const int CharacterLimit = 4 * 1024 * 1024;
    private const int TagLimit = 32;
    private const int DepthLimit = 64;

    private static readonly XNamespace Nova10 = "http://openstack.org/xmlns/libvirt/nova/1.0";
    private static readonly XNamespace Nova11 = "http://openstack.org/xmlns/libvirt/nova/1.1";
    private static readonly XNamespace OvirtVm = "http://ovirt.org/vm/1.0";
    private static readonly XNamespace KubeVirt = "http://kubevirt.io";
    private static readonly XNamespace Own = "https://keck.io/ns/1";

    /// <summary>The facts, or null for what is no domain's XML.</summary>
    internal static DomainFacts? Parse(string xml)
    {
        XmlReaderSettings settings = new()
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = CharacterLimit,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        XElement domain;
        try
        {
            if (IsTooDeep(xml, settings))
            {
                return null;
            }

            using XmlReader reader = XmlReader.Create(new StringReader(xml), settings);
            domain = XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }

        if (domain.Name != "domain" || MachineId.Canonical(Text(domain, "uuid")) is not { } uuid)
        {
            return null;
        }

        DomainFacts facts = new()
        {
            Uuid = uuid,
            Name = Text(domain, "name"),
            Vcpus = Vcpus(domain.Element("vcpu")),
            MemoryKibibytes = Memory(domain.Element("memory")),
            Channels = Channels(domain.Element("devices")),
        };
        return WithMetadata(facts, domain.Element("metadata"));
    }

    // Trees are walked by recursion in some places of the framework: a document of a million open tags must not get there.
    private static bool IsTooDeep(string xml, XmlReaderSettings settings)
    {
        using XmlReader reader = XmlReader.Create(new StringReader(xml), settings);
        while (reader.Read())
        {
            if (reader.Depth > DepthLimit)
            {
                return true;
            }
        }

        return false;
    }

    private static string? Text(XElement? parent, XName name) => SafeText.Clean(parent?.Element(name)?.Value.Trim());

    private static string? Attribute(XElement? element, XName name) => SafeText.Clean(element?.Attribute(name)?.Value);

    private static int Vcpus(XElement? vcpu)
    {
        string? text = vcpu?.Attribute("current")?.Value ?? vcpu?.Value.Trim();
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= 4096 ? count : 0;
    }

    private static long Memory(XElement? memory)
    {
        if (!long.TryParse(memory?.Value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return -1;
        }

        decimal unit = (memory!.Attribute("unit")?.Value ?? "KiB") switch
        {
            "b" or "bytes" => 1m / 1024,
            "KB" => 1000m / 1024,
            "k" or "KiB" => 1,
            "MB" => 1_000_000m / 1024,
            "M" or "MiB" => 1024,
            "GB" => 1_000_000_000m / 1024,
            "G" or "GiB" => 1024 * 1024,
            "TB" => 1_000_000_000_000m / 1024,
            "T" or "TiB" => 1024m * 1024 * 1024,
            _ => -1,
        };
        decimal kibibytes = number * unit;
        return kibibytes is >= 1 and < (1L << 50) ? (long)kibibytes : -1;
    }

    private static ImmutableArray<MachineChannel> Channels(XElement? devices)
    {
        List<MachineChannel> channels = [];
        foreach (XElement device in devices?.Elements() ?? [])
        {
            if (device.Name == "vsock" && HypervisorArguments.TryCid(device.Element("cid")?.Attribute("address")?.Value, out uint cid))
            {
                channels.Add(new MachineChannel(ChannelKind.Vsock, cid, null));
            }
            else if (device.Name == "channel" && device.Attribute("type")?.Value == "unix"
                && device.Element("target") is { } target && target.Attribute("type")?.Value == "virtio" && target.Attribute("name")?.Value == HypervisorArguments.PortName
                && device.Element("source")?.Attribute("path")?.Value is { Length: > 0 and < 4096 } path && path[0] == '/' && SafeText.Clean(path) == path)
            {
                channels.Add(new MachineChannel(ChannelKind.VirtioSerial, 0, path));
            }
        }

        return [.. channels.Distinct()];
    }

    private static DomainFacts WithMetadata(DomainFacts facts, XElement? metadata)
    {
        MachineOwner owner = new();
        bool told = false;
        foreach (XElement element in metadata?.Elements() ?? [])
        {
            XNamespace space = element.Name.Namespace;
            if ((space == Nova11 || space == Nova10) && element.Name.LocalName == "instance")
            {
                XElement? project = element.Element(space + "owner")?.Element(space + "project");
                XElement? user = element.Element(space + "owner")?.Element(space + "user");
                owner = owner with
                {
                    Project = SafeText.Clean(project?.Value),
                    ProjectId = Attribute(project, "uuid"),
                    User = SafeText.Clean(user?.Value),
                    UserId = Attribute(user, "uuid"),
                    Flavor = Attribute(element.Element(space + "flavor"), "name"),
                    DisplayName = Text(element, space + "name"),
                };
                (facts, told) = (facts with { Manager = MachineManager.Nova }, true);
            }
            else if (space == OvirtVm && element.Name.LocalName == "vm")
            {
                facts = facts with { Manager = MachineManager.Ovirt };
            }
            else if (space == KubeVirt && element.Name.LocalName == "kubevirt")
            {
                facts = facts with { Manager = MachineManager.KubeVirt, VmiUid = MachineId.Canonical(Text(element, KubeVirt + "uid")) };
                if (KubeVirtName.TrySplit(facts.Name, out string? project, out string? name))
                {
                    (owner, told) = (owner with { Project = project, DisplayName = name }, true);
                }
            }
            else if (space == Own)
            {
                (owner, told) = (owner with { Tags = Tags(element) }, true);
            }
        }

        return told ? facts with { Owner = owner } : facts;
    }

    private static ImmutableSortedDictionary<string, string> Tags(XElement element)
    {
        ImmutableSortedDictionary<string, string>.Builder tags = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (XAttribute attribute in element.Attributes())
        {
            if (!attribute.IsNamespaceDeclaration && attribute.Name.Namespace == XNamespace.None && tags.Count < TagLimit
                && SafeText.Clean(attribute.Value) is { } value && SafeText.Clean(attribute.Name.LocalName) is { } name)
            {
                tags[name] = value;
            }
        }

        return tags.ToImmutable();
    }
}
