using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>A machine profile as a file: JSON, with the SHA-256 of all its other members, so that a changed one is noticed.</summary>
public static class MachineProfileFile
{
    /// <summary>The longest file that is read, bytes.</summary>
    public const int MostBytes = 1 << 20;

    private const double MostWatts = 1e6;
    private const double MostCoefficient = 1e9;
    private const double MostRate = 1e6;
    private const double MostFactor = 1e3;

    /// <summary>Writes a profile.</summary>
    /// <returns>The file's text, UTF-8, with its hash.</returns>
    public static byte[] Write(MachineProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        string hash = Sha256.Hex(Text(profile, null, indented: false));
        return [.. Text(profile, hash, indented: true), (byte)'\n'];
    }

    /// <summary>Reads a profile.</summary>
    /// <exception cref="TraceFormatException">It is none, or was changed; the message says what is wrong.</exception>
    public static MachineProfile Read(ReadOnlyMemory<byte> text)
    {
        if (text.Length > MostBytes)
        {
            throw new TraceFormatException($"it is longer than {MostBytes} bytes: this is no machine profile");
        }

        MachineProfile profile;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            profile = Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new TraceFormatException($"it is no JSON: {e.Message}", e);
        }

        string hash = Sha256.Hex(Text(profile, null, indented: false));
        return hash == profile.Hash
            ? profile
            : throw new TraceFormatException("its content does not match its sha256: it was changed or damaged; calibrate again");
    }

    private static MachineProfile Read(JsonElement root)
    {
        TraceFields.RequireObject(root, "a machine profile");
        if (TraceFields.TextOrNull(root, "format"u8) != MachineProfile.Format)
        {
            throw new TraceFormatException($"this is no machine profile; one begins with {{\"format\":\"{MachineProfile.Format}\",…}}");
        }

        long version = TraceFields.Long(root, "version"u8, 1, int.MaxValue);
        if (version != MachineProfile.Version)
        {
            throw new TraceFormatException($"version {version} of the format is not {MachineProfile.Version}, the one this program reads; calibrate again");
        }

        ImmutableSortedDictionary<string, StaticPower>.Builder floors = ImmutableSortedDictionary.CreateBuilder<string, StaticPower>(StringComparer.Ordinal);
        foreach (JsonElement item in TraceFields.Array(root, "static"u8, TraceHeaderReader.MostMeters))
        {
            TraceFields.RequireObject(item, "a static power");
            floors[TraceFields.Text(item, "id"u8)] = new StaticPower(Number(item, "watts"u8, MostWatts), Number(item, "uncertaintyWatts"u8, MostWatts));
        }

        ImmutableArray<PowerModel>.Builder models = ImmutableArray.CreateBuilder<PowerModel>();
        foreach (JsonElement item in TraceFields.Array(root, "models"u8, 3))
        {
            TraceFields.RequireObject(item, "a model");
            string needs = TraceFields.Text(item, "needs"u8);
            int at = Array.IndexOf(NeedsNames, needs);
            ImmutableArray<double>.Builder coefficients = ImmutableArray.CreateBuilder<double>(PowerFeatures.Count);
            for (int i = 0; i < PowerFeatures.Count; i++)
            {
                coefficients.Add(TraceFields.DoubleOrNull(item, Encoding.UTF8.GetBytes(PowerFeatures.Name(i)), 0, MostCoefficient) ?? 0);
            }

            models.Add(new PowerModel(
                at >= 0 ? (PowerNeeds)at : throw TraceFields.Unknown("needs", needs, string.Join(", ", NeedsNames)), coefficients.MoveToImmutable(), Number(item, "residual"u8, 1e3)));
        }

        ImmutableArray<InstructionMix>.Builder mixes = ImmutableArray.CreateBuilder<InstructionMix>();
        foreach (JsonElement item in TraceFields.Array(root, "mixes"u8, MixFinder.Most))
        {
            TraceFields.RequireObject(item, "an instruction mix");
            double ipc = Number(item, "instructionsPerCycle"u8, MostRate);
            mixes.Add(new InstructionMix(
                ipc > 0 ? ipc : throw new TraceFormatException("instructionsPerCycle must be above 0"), Number(item, "missesPerKiloInstruction"u8, MostRate),
                Number(item, "energyFactor"u8, MostFactor), Number(item, "memoryFactor"u8, MostFactor)));
        }

        if (models.Count == 0)
        {
            throw new TraceFormatException("it has no models: calibrate again");
        }

        return new MachineProfile
        {
            CreatedAt = TraceFields.TextOrNull(root, "createdAt"u8) is { } at2 && DateTimeOffset.TryParse(at2, System.Globalization.CultureInfo.InvariantCulture, out DateTimeOffset time) ? time : null,
            Host = TraceFields.TextOrNull(root, "host"u8),
            Cpu = TraceFields.TryGet(root, "cpu"u8, out JsonElement cpu) ? TraceHeaderReader.ReadCpu(cpu) : null,
            Cpus = TraceFields.Int(root, "cpus"u8, 1, TraceHeaderReader.MostCpus),
            Packages = TraceFields.IntOrNull(root, "packages"u8, 1, TraceHeaderReader.HighestPackage + 1),
            MemoryKibibytes = TraceFields.LongOrNull(root, "memoryKibibytes"u8, 0, TraceHeaderReader.LongestTime),
            Static = floors.ToImmutable(),
            Models = models.ToImmutable(),
            Mixes = mixes.ToImmutable(),
            MicrojoulesPerMiss = TraceFields.DoubleOrNull(root, "microjoulesPerMiss"u8, 0, MostCoefficient),
            Alpha = TraceFields.DoubleOrNull(root, "alpha"u8, 0, 10),
            Beta = TraceFields.DoubleOrNull(root, "beta"u8, 0, 100),
            Hash = TraceFields.Text(root, "sha256"u8),
        };
    }

    private static readonly string[] NeedsNames = ["counters", "frequency", "time"];

    private static double Number(JsonElement item, ReadOnlySpan<byte> name, double most) =>
        TraceFields.DoubleOrNull(item, name, 0, most) ?? throw new TraceFormatException($"{Encoding.UTF8.GetString(name)} is missing");

    private static byte[] Text(MachineProfile profile, string? hash, bool indented)
    {
        ArrayBufferWriter<byte> text = new();
        using Utf8JsonWriter json = new(text, new JsonWriterOptions { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("format"u8, MachineProfile.Format);
        json.WriteNumber("version"u8, MachineProfile.Version);
        if (profile.CreatedAt is { } created)
        {
            json.WriteString("createdAt"u8, created.UtcDateTime);
        }

        TraceHeaderWriter.Text(json, "host"u8, profile.Host);
        if (profile.Cpu is { } cpu)
        {
            TraceHeaderWriter.WriteCpu(json, cpu);
        }

        json.WriteNumber("cpus"u8, profile.Cpus);
        if (profile.Packages is { } packages)
        {
            json.WriteNumber("packages"u8, packages);
        }

        if (profile.MemoryKibibytes is { } memory)
        {
            json.WriteNumber("memoryKibibytes"u8, memory);
        }

        json.WriteStartArray("static"u8);
        foreach ((string id, StaticPower power) in profile.Static)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, id);
            json.WriteNumber("watts"u8, power.Watts);
            json.WriteNumber("uncertaintyWatts"u8, power.Deviation);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("models"u8);
        foreach (PowerModel model in profile.Models)
        {
            json.WriteStartObject();
            json.WriteString("needs"u8, NeedsNames[(int)model.Needs]);
            for (int i = 0; i < PowerFeatures.Count; i++)
            {
                json.WriteNumber(PowerFeatures.Name(i), model.Coefficients[i]);
            }

            json.WriteNumber("residual"u8, model.Residual);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("mixes"u8);
        foreach (InstructionMix mix in profile.Mixes)
        {
            json.WriteStartObject();
            json.WriteNumber("instructionsPerCycle"u8, mix.InstructionsPerCycle);
            json.WriteNumber("missesPerKiloInstruction"u8, mix.MissesPerKiloInstruction);
            json.WriteNumber("energyFactor"u8, mix.EnergyFactor);
            json.WriteNumber("memoryFactor"u8, mix.MemoryFactor);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Optional(json, "microjoulesPerMiss"u8, profile.MicrojoulesPerMiss);
        Optional(json, "alpha"u8, profile.Alpha);
        Optional(json, "beta"u8, profile.Beta);
        TraceHeaderWriter.Text(json, "sha256"u8, hash);
        json.WriteEndObject();
        json.Flush();
        return text.WrittenSpan.ToArray();
    }

    private static void Optional(Utf8JsonWriter json, ReadOnlySpan<byte> name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
