using System.Text.Json;
using System.Text.Json.Serialization;

namespace Keck.Agent;

/// <summary>The JSON of the API, by source generator: camelCase, absent where unknown.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(NodeDocument))]
[JsonSerializable(typeof(MeterList))]
[JsonSerializable(typeof(LearnedDocument))]
[JsonSerializable(typeof(ConsumerDocument))]
[JsonSerializable(typeof(ConsumerList))]
[JsonSerializable(typeof(NamespaceList))]
[JsonSerializable(typeof(HistoryDocument))]
[JsonSerializable(typeof(TreeDocument))]
[JsonSerializable(typeof(GuestList))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>µ, ± and names in any script as themselves; never the characters that matter to HTML.</summary>
    internal static JsonWriterOptions WriterOptions { get; } = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
        SkipValidation = true,
    };
}
