using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>What has been learned of consumers, in a trace's initial state.</summary>
internal static class SignatureStateJson
{
    private const int MostRows = 1 << 16;
    private const double Huge = 1e30;

    internal static void Write(Utf8JsonWriter json, SignatureState state)
    {
        json.WriteStartObject("learned"u8);
        json.WriteNumber("sharedSlots"u8, Signatures.SharedSlots);
        json.WriteStartArray("slots"u8);
        foreach (SignatureSlotState slot in state.Slots)
        {
            json.WriteStartObject();
            TraceHeaderWriter.Text(json, "machine"u8, slot.Machine);
            json.WriteStartArray("rows"u8);
            foreach (SignatureRow row in slot.Rows)
            {
                json.WriteStartObject();
                json.WriteNumber("row"u8, row.Row);
                json.WriteNumber("pid"u8, row.Pid);
                json.WriteNumber("startNanoseconds"u8, row.StartNanoseconds);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("share"u8, slot.Share);
            json.WriteNumber("instructionsPerCycle"u8, slot.Ipc);
            json.WriteNumber("missesPerCycle"u8, slot.MissRate);
            json.WriteNumber("otherSeconds"u8, slot.OtherSeconds);
            json.WriteNumber("amount"u8, slot.Amount);
            json.WriteNumber("instructions"u8, slot.Instructions);
            json.WriteNumber("cycles"u8, slot.Cycles);
            json.WriteNumber("llcMisses"u8, slot.Misses);
            json.WriteBoolean("fresh"u8, slot.Fresh);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("domains"u8);
        foreach (SignatureDomainState domain in state.Domains)
        {
            json.WriteStartObject();
            json.WriteNumber("priorDeviation"u8, domain.PriorDeviation);
            json.WriteStartArray("scales"u8);
            foreach (WeightScale scale in domain.Scales)
            {
                json.WriteStartObject();
                json.WriteNumber("microjoules"u8, scale.Microjoules);
                json.WriteNumber("weight"u8, scale.Weight);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("meters"u8);
            foreach (LatenessState meter in domain.Meters)
            {
                json.WriteStartObject();
                json.WriteNumber("offMicrojoules"u8, meter.Off);
                json.WriteNumber("stepMicrojoules"u8, meter.Step);
                json.WriteNumber("products"u8, meter.Products);
                json.WriteBoolean("odd"u8, meter.Odd);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            Numbers(json, "factors"u8, domain.Factors);
            Numbers(json, "covariance"u8, domain.Covariance);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static SignatureState? Read(JsonElement owner)
    {
        if (!TraceFields.TryGet(owner, "learned"u8, out JsonElement element))
        {
            return null;
        }

        TraceFields.RequireObject(element, "learned");
        if (TraceFields.IntOrNull(element, "sharedSlots"u8, 0, int.MaxValue) != Signatures.SharedSlots)
        {
            // Learned by a version that knew other things of a machine: none of it says anything here.
            return null;
        }

        ImmutableArray<SignatureSlotState>.Builder slots = ImmutableArray.CreateBuilder<SignatureSlotState>();
        foreach (JsonElement item in TraceFields.Array(element, "slots"u8, Signatures.MostSlots))
        {
            TraceFields.RequireObject(item, "a slot");
            ImmutableArray<SignatureRow>.Builder rows = ImmutableArray.CreateBuilder<SignatureRow>();
            foreach (JsonElement row in TraceFields.Array(item, "rows"u8, MostRows))
            {
                TraceFields.RequireObject(row, "a row");
                rows.Add(new SignatureRow(
                    TraceFields.Int(row, "row"u8, 0, TraceHeaderReader.HighestRow),
                    TraceFields.Int(row, "pid"u8, -int.MaxValue, int.MaxValue),
                    TraceFields.LongOrNull(row, "startNanoseconds"u8, 0, TraceHeaderReader.LongestTime) ?? 0));
            }

            slots.Add(new SignatureSlotState(
                TraceFields.TextOrNull(item, "machine"u8), rows.ToImmutable(), Number(item, "share"u8, 1), Number(item, "instructionsPerCycle"u8, 1e6),
                Number(item, "missesPerCycle"u8, 1e6), Number(item, "otherSeconds"u8, Huge), Number(item, "amount"u8, Huge), Number(item, "instructions"u8, Huge),
                Number(item, "cycles"u8, Huge), Number(item, "llcMisses"u8, Huge), TraceFields.BoolOrNull(item, "fresh"u8) ?? false));
        }

        ImmutableArray<SignatureDomainState>.Builder domains = ImmutableArray.CreateBuilder<SignatureDomainState>();
        foreach (JsonElement item in TraceFields.Array(element, "domains"u8, 2))
        {
            TraceFields.RequireObject(item, "a domain");
            ImmutableArray<double> factors = Numbers(item, "factors"u8, Signatures.MostSlots, -Huge, Huge);
            ImmutableArray<double> covariance = Numbers(item, "covariance"u8, Signatures.MostSlots * Signatures.MostSlots, -Huge, Huge);
            ImmutableArray<WeightScale>.Builder scales = ImmutableArray.CreateBuilder<WeightScale>();
            foreach (JsonElement scale in TraceFields.Array(item, "scales"u8, 16))
            {
                TraceFields.RequireObject(scale, "a scale");
                scales.Add(new WeightScale(Number(scale, "microjoules"u8, Huge), Number(scale, "weight"u8, Huge)));
            }

            ImmutableArray<LatenessState>.Builder meters = ImmutableArray.CreateBuilder<LatenessState>();
            foreach (JsonElement meter in TraceFields.Array(item, "meters"u8, Signatures.MeterSlots))
            {
                TraceFields.RequireObject(meter, "a meter's lateness");
                meters.Add(new LatenessState(
                    Signed(meter, "offMicrojoules"u8), Signed(meter, "stepMicrojoules"u8), Signed(meter, "products"u8), TraceFields.BoolOrNull(meter, "odd"u8) ?? false));
            }

            if (factors.Length != slots.Count || covariance.Length != factors.Length * (factors.Length + 1) / 2)
            {
                throw new TraceFormatException($"there are {slots.Count} slots, {factors.Length} factors and {covariance.Length} covariances");
            }

            // Weights are multiplied by them: what is no factor would make energy out of nothing.
            foreach (double factor in factors.Skip(Signatures.SystemSlot))
            {
                if (factor is < FactorFilter.Least or > FactorFilter.Most)
                {
                    throw new TraceFormatException($"factors must lie within {FactorFilter.Least} and {FactorFilter.Most}");
                }
            }

            domains.Add(new SignatureDomainState(Number(item, "priorDeviation"u8, 10), scales.ToImmutable(), meters.ToImmutable(), factors, covariance));
        }

        return new SignatureState(slots.ToImmutable(), domains.ToImmutable());
    }

    private static double Signed(JsonElement item, ReadOnlySpan<byte> name) => TraceFields.DoubleOrNull(item, name, -Huge, Huge) ?? 0;

    private static double Number(JsonElement item, ReadOnlySpan<byte> name, double most) => TraceFields.DoubleOrNull(item, name, 0, most) ?? 0;

    private static void Numbers(Utf8JsonWriter json, ReadOnlySpan<byte> name, ImmutableArray<double> numbers)
    {
        json.WriteStartArray(name);
        foreach (double number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static ImmutableArray<double> Numbers(JsonElement owner, ReadOnlySpan<byte> name, int most, double low, double high)
    {
        ImmutableArray<double>.Builder numbers = ImmutableArray.CreateBuilder<double>();
        foreach (JsonElement item in TraceFields.Array(owner, name, most))
        {
            numbers.Add(item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out double number) && number >= low && number <= high
                ? number
                : throw new TraceFormatException($"{System.Text.Encoding.UTF8.GetString(name)} must hold numbers from {low} to {high}"));
        }

        return numbers.ToImmutable();
    }
}
