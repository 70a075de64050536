using Keck.VsockProtocol;

namespace Keck.Host.Tests;

public sealed class MachineBudgetEpochTests
{
    [Fact]
    public void KeyedHash_ReferenceVector_IsSipHash128()
    {
        // From the authors' vectors: key 00 01 .. 0f, message 00 01 .. 07.
        (ulong first, ulong second) = KeyedHash.Of((0x0706050403020100, 0x0f0e0d0c0b0a0908), 0x0706050403020100);
        byte[] result = [.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(second)];
        Assert.Equal("3b62a9ba6258f5610f83e264f31497b4", Convert.ToHexStringLower(result));
    }

    [Fact]
    public void Epoch_OfMachinesOfOneHost_HasNothingInCommonAndStays()
    {
        var ledger = Guid.NewGuid();
        byte[][] epochs = [.. Enumerable.Range(0, 64).Select(series => MachineBudget.Epoch(ledger, series).ToByteArray())];
        Assert.All(epochs, epoch => Assert.Equal(ChannelProtocol.EpochBytes, epoch.Length));
        Assert.Equal(epochs[5], MachineBudget.Epoch(ledger, 5).ToByteArray());
        Assert.DoesNotContain(ledger.ToByteArray(), epochs);

        // Of 128 bits half differ between any two, as by chance: 128 of them all alike would be one in 2^60 at fewer than 24.
        for (int i = 1; i < epochs.Length; i++)
        {
            int differ = epochs[0].Zip(epochs[i], (a, b) => System.Numerics.BitOperations.PopCount((uint)(a ^ b))).Sum();
            Assert.InRange(differ, 24, 104);
        }
    }
}
