using System.Text;
using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>An energy tree as the API gives it, added up here from its leaves and not believed.</summary>
internal static class NestedTree
{
    /// <summary>Adds up every level and compares; a leaf below zero is wrong too.</summary>
    /// <returns>The root's energy, µJ.</returns>
    internal static long AssertAddsUp(JsonElement document)
    {
        Assert.True(document.GetProperty("sumsUp").GetBoolean(), $"the agent itself says that its tree does not add up: {document}");
        return Sum(document.GetProperty("tree"));
    }

    /// <summary>Energy of the first node of this id, at any depth; 0 where there is none: it owns nothing then.</summary>
    internal static long Energy(JsonElement node, string id) => Find(node, id) is { } found ? Of(found) : 0;

    /// <summary>The first node of this id, itself included.</summary>
    internal static JsonElement? Find(JsonElement node, string id)
    {
        if (node.GetProperty("id").GetString() == id)
        {
            return node;
        }

        return node.TryGetProperty("children", out JsonElement children)
            ? children.EnumerateArray().Select(child => Find(child, id)).FirstOrDefault(static found => found is not null)
            : null;
    }

    /// <summary>JSON documents that follow one another.</summary>
    internal static JsonElement[] Documents(string text)
    {
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true });
        List<JsonElement> documents = [];
        while (reader.Read())
        {
            documents.Add(JsonElement.ParseValue(ref reader));
        }

        return [.. documents];
    }

    private static long Sum(JsonElement node)
    {
        long said = Of(node);
        if (!node.TryGetProperty("children", out JsonElement children) || children.GetArrayLength() == 0)
        {
            Assert.True(said >= 0, $"{node.GetProperty("id")} has {said} µJ");
            return said;
        }

        long sum = children.EnumerateArray().Sum(Sum);
        Assert.True(sum == said, $"{node.GetProperty("id")}: what is below it has {sum} µJ, it says {said}");
        return sum;
    }

    // An agent without a meter yet, as a guest before its first budget, has no energy to tell: it is absent.
    internal static long Of(JsonElement node) => node.TryGetProperty("energyMicrojoules", out JsonElement energy) ? energy.GetInt64() : 0;
}
