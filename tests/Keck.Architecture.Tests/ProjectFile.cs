using System.Xml.Linq;

namespace Keck.Architecture.Tests;

/// <summary>What the rules look at in a project file.</summary>
/// <param name="Path">Where it is, below the root.</param>
/// <param name="Xml">Its content.</param>
internal sealed record ProjectFile(string Path, XDocument Xml)
{
    internal string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    internal IEnumerable<string> References => Includes("ProjectReference").Select(include => System.IO.Path.GetFileNameWithoutExtension(include.Replace('\\', '/')));

    internal IEnumerable<string> Imports => Xml.Descendants("Import").Select(import => System.IO.Path.GetFileName((string?)import.Attribute("Project") ?? ""));

    internal bool AllowsUnsafe => Xml.Descendants("AllowUnsafeBlocks").Any(element => element.Value.Trim() == "true");

    internal static ProjectFile Parse(string path, string text) => new(path, XDocument.Parse(text));

    internal IEnumerable<XElement> Elements(string name) => Xml.Descendants(name);

    internal IEnumerable<string> Includes(string name) => Elements(name).Select(element => (string?)element.Attribute("Include") ?? "");
}
