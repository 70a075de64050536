using System.Text.Json.Serialization;

namespace Keck.Bench;

/// <summary>Generated serialisation, the fastest that the base library has.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JsonBudget))]
internal sealed partial class JsonBudgetContext : JsonSerializerContext;
