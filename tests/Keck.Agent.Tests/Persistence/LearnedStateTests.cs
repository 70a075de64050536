using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class LearnedStateTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);
    private static readonly StaticFloorState Ten = new(10, true, 1, 2, 3, 4, 10, 0.01, 0.2), Twelve = Ten with { Watts = 12 }, Six = Ten with { Watts = 6 };

    [Fact]
    public void Undo_AnAdoption_ItsFloorIsAsBeforeAndWhatFollowedIsTakenBackToo()
    {
        LearnedState state = State();
        Assert.Null(state.Undo(2, Now));
        LearnedState saved = new(state.Write().ToArray());
        Assert.Equal(Ten, saved.Floors["package-0"]);
        Assert.Equal(Six, saved.Floors["package-1"]);
        Assert.Equal([2, 4], saved.Adoptions.Where(entry => entry.Undone).Select(entry => entry.Id));
        Assert.Equal((6, AdoptionCause.Undone, "package-0", Twelve, Ten), (saved.Adoptions[^1].Id, saved.Adoptions[^1].Cause, saved.Adoptions[^1].Meter, saved.Adoptions[^1].Before, saved.Adoptions[^1].After));

        // Taking back can be taken back.
        Assert.Null(saved.Undo(6, Now));
        Assert.Equal(Twelve, saved.Floors["package-0"]);
    }

    [Fact]
    public void Undo_TheFirst_LeavesNoFloor()
    {
        LearnedState state = State();
        Assert.Null(state.Undo(1, Now));
        Assert.Equal(["package-1"], new LearnedState(state.Write().ToArray()).Floors.Keys);
    }

    [Theory]
    [InlineData(99, "there is no adoption 99; those from 1 to 5 are kept")]
    [InlineData(5, "signatures are not kept")]
    public void Undo_CannotBe_SaysWhyAndChangesNothing(long id, string why)
    {
        LearnedState state = State();
        byte[] before = state.Write().ToArray();
        Assert.StartsWith(why, state.Undo(id, Now), StringComparison.Ordinal);
        Assert.Equal(before, state.Write().ToArray());
    }

    [Fact]
    public void Undo_Twice_IsRefused()
    {
        LearnedState state = State();
        Assert.Null(state.Undo(3, Now));
        Assert.Equal("adoption 3 has been taken back already", state.Undo(3, Now));
    }

    [Fact]
    public void Forget_AMeter_BeginsAnewAndLeavesTheOthers()
    {
        LearnedState state = State();
        Assert.Null(state.Forget("package-0", Now));
        Assert.Equal(["package-1"], state.Floors.Keys);
        Assert.Equal((AdoptionCause.Forgotten, Twelve, default(StaticFloorState)), (state.Adoptions[^1].Cause, state.Adoptions[^1].Before, state.Adoptions[^1].After));
        Assert.Equal("nothing has been learned of 'dram-0'; of these: package-1", state.Forget("dram-0", Now));
    }

    [Fact]
    public void Write_EverythingElse_StaysAsItIs()
    {
        using JsonDocument before = JsonDocument.Parse(Document()), after = JsonDocument.Parse(Forgotten());
        Assert.True(JsonElement.DeepEquals(before.RootElement.GetProperty("ledger"), after.RootElement.GetProperty("ledger")));
        Assert.Equal(before.RootElement.EnumerateObject().Select(member => member.Name).Order(), after.RootElement.EnumerateObject().Select(member => member.Name).Order());

        static ReadOnlyMemory<byte> Forgotten()
        {
            LearnedState state = State();
            Assert.Null(state.Forget("package-1", Now));
            return state.Write();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"savedAt":"2026-11-24T05:00:00Z","floors":3}""")]
    public void New_SomethingElse_IsRefused(string document) => Assert.Throws<TraceFormatException>(() => new LearnedState(Encoding.UTF8.GetBytes(document)));

    private static LearnedState State() => new(Document());

    private static byte[] Document()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("bootId"u8, "b");
            json.WriteString("savedAt"u8, Now);
            json.WritePropertyName("ledger"u8);
            json.WriteRawValue("""{"b":[1, 2.50],"a":"ü"}""");
            LedgerState.WriteFloors(json, ImmutableSortedDictionary<string, StaticFloorState>.Empty.Add("package-0", Twelve).Add("package-1", Six));
            json.WritePropertyName(AdoptionJson.Member);
            AdoptionJson.Write(
                json,
                [
                    Entry(1, "package-0", AdoptionCause.Idle, default, Ten), Entry(2, "package-0", AdoptionCause.Idle, Ten, Six), Entry(3, "package-1", AdoptionCause.Busy, default, Six),
                    Entry(4, "package-0", AdoptionCause.Idle, Six, Twelve), Entry(5, "package-0", AdoptionCause.Signatures, Twelve, Twelve),
                ]);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static AdoptionEntry Entry(long id, string meter, AdoptionCause cause, StaticFloorState before, StaticFloorState after) => new(id, Now.AddHours(-2), meter, cause, "seen", before, after);
}
