using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Agent.Tests;

public sealed class AdoptionLogTests
{
    private readonly FakeClock _time = new();

    [Fact]
    public void OnTick_Learning_EachStepIsKeptWithWhatWasBefore()
    {
        AdoptionLog log = new(_time, NullLogger.Instance, null);
        Learn(log, 10, 10, 60);

        // Idle at 10 W, then a load, then idle at 60 W: it follows upwards slowly, in steps of more than 2 %.
        Assert.Equal((1, AdoptionCause.Idle, "idle window, CPUs 0.0 % busy"), (log.Entries[0].Id, log.Entries[0].Cause, log.Entries[0].Why));
        Assert.Null(log.Entries[0].Before.Watts);
        AdoptionEntry[] floors = [.. log.Entries.Where(entry => entry.Cause == AdoptionCause.Idle)];
        Assert.True(floors.Length > 3);
        foreach ((AdoptionEntry before, AdoptionEntry after) in floors.Zip(floors.Skip(1)))
        {
            Assert.Equal(before.After.Watts, after.Before.Watts);
            Assert.True(after.After.Watts > after.Before.Watts * 1.02);
        }
    }

    [Fact]
    public void OnTick_MoreThanAreKept_TheLastAreAndTheirNumbersGoOn()
    {
        AdoptionLog log = new(_time, NullLogger.Instance, null);
        for (int i = 0; i < AdoptionLog.Most + 20; i++)
        {
            log.Take(Profile(i), new Dictionary<string, StaticFloorState>(), Observation().Meters);
        }

        Assert.Equal(AdoptionLog.Most, log.Entries.Length);
        Assert.Equal((21, AdoptionLog.Most + 20), (log.Entries[0].Id, log.Entries[^1].Id));
    }

    [Fact]
    public void Take_ProfileOfAMeterThatKnowsItself_IsNoAdoption()
    {
        AdoptionLog log = new(_time, NullLogger.Instance, null);
        log.Take(Profile(4), new Dictionary<string, StaticFloorState>(), [Observation().Meters[0] with { KnownStaticWatts = 3 }]);
        Assert.Empty(log.Entries);
    }

    [Fact]
    public void OnTick_SignaturesAtEachStart_OnlyTheLastIsKept()
    {
        AdoptionLog log = new(_time, NullLogger.Instance, null);
        log.Take(Profile(4), new Dictionary<string, StaticFloorState>(), Observation().Meters);
        for (int start = 0; start < 5; start++)
        {
            Signatures(log);
        }

        Assert.Equal([AdoptionCause.Profile, AdoptionCause.Signatures], log.Entries.Select(entry => entry.Cause));
        Assert.Equal(6, log.Entries[^1].Id);
    }

    [Fact]
    public void Write_ThenReadInALaterRun_GoesOnWithTheSame()
    {
        AdoptionLog log = new(_time, NullLogger.Instance, null);
        Learn(log, 10, 10, 60);
        using JsonDocument saved = JsonDocument.Parse(Save(log));
        AdoptionLog later = new(_time, NullLogger.Instance, saved.RootElement);
        Assert.Equal(log.Entries.AsEnumerable(), later.Entries);
        later.Take(Profile(3), new Dictionary<string, StaticFloorState>(), Observation().Meters);
        Assert.Equal(log.Entries[^1].Id + 1, later.Entries[^1].Id);
    }

    [Theory]
    [InlineData("""{"adoptions":17}""")]
    [InlineData("""{"adoptions":[{"number":1}]}""")]
    [InlineData("""{"adoptions":[{"number":1,"at":"2026-11-24T05:00:00Z","cause":"whim","why":"","undone":false,"before":{},"after":{"id":"m"}}]}""")]
    [InlineData("""{"adoptions":[{"number":1,"at":"2026-11-24T05:00:00Z","cause":"idle","why":"","undone":false,"before":[],"after":{"id":"m"}}]}""")]
    public void New_SavedOnesMalformed_StartsWithoutAny(string saved)
    {
        using JsonDocument document = JsonDocument.Parse(saved);
        Assert.Empty(new AdoptionLog(_time, NullLogger.Instance, document.RootElement).Entries);
    }

    private static MachineProfile Profile(double watts) => new()
    {
        Static = new Dictionary<string, StaticPower> { ["package-0"] = new(watts + 1, 0) }.ToImmutableSortedDictionary(StringComparer.Ordinal),
        Hash = "abc",
    };

    private static string Save(AdoptionLog log)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            log.Write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // A second each: idle at some watts, busy at ten times that, and idle at others for a while.
    private static void Learn(AdoptionLog log, long idleWatts, int seconds, long laterWatts)
    {
        Attributor attributor = new();
        Observation observation = Observation();
        for (int second = 0; second < 4 * seconds; second++)
        {
            Next(observation, (second < seconds ? idleWatts : laterWatts) * 1_000_000);
            log.OnTick(observation, attributor.Attribute(observation));
        }
    }

    private static void Signatures(AdoptionLog log)
    {
        TickAttribution attribution = new();
        attribution.Adoptions.Add() = new Adoption("package-0", AdoptionCause.Signatures, 1, 0, default, default);
        log.OnTick(Observation(), attribution);
    }

    private static Observation Observation() => new()
    {
        Topology = new Topology([new CpuPlace(0, 0, 0, 0)], null),
        Meters = [new Meter { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true }],
    };

    private static void Next(Observation observation, long microjoules)
    {
        observation.Begin(observation.Tick + 1, observation.EndNanoseconds);
        observation.EndNanoseconds = observation.StartNanoseconds + 1_000_000_000;
        observation.Cpus.Add() = new CpuSample { Cpu = 0, IdleNanoseconds = 1_000_000_000 };
        observation.MeterSamples.Add() = new MeterSample { Meter = 0, Microjoules = microjoules, Milliwatts = Unobserved.Value, ReadNanoseconds = observation.EndNanoseconds };
    }
}
