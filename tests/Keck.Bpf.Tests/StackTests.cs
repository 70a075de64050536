using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Keck.Tests;

namespace Keck.Bpf.Tests;

/// <summary>
/// The kernel gives a chain of calls 512 bytes of stack; before Linux 6.7 each frame is rounded up to 32. The frames are the
/// compiler's own figures, the calls those of the object.
/// </summary>
public sealed partial class StackTests
{
    private const int Granule = 32;
    private const int Limit = 512;
    private const int Headroom = 64; // Two more spilled granules.

    [Fact]
    public void Accounting_WorstChainOfCalls_LeavesHeadroomOnOldKernels()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/clang") && File.Exists("/usr/bin/llvm-objdump"), "no clang or llvm-objdump");
        string folder = Directory.CreateTempSubdirectory("keck-stack-").FullName;
        try
        {
            string obj = Path.Combine(folder, "a.o");
            _ = Run("clang", "-O2", "-g", "-fno-unroll-loops", "-target", "bpf", "-mcpu=v3", "-fstack-usage", "-I/usr/include/" + Run("gcc", "-print-multiarch").Trim(), "-c", Repository.PathOf("host-agent", "Bpf", "kernel", "accounting.bpf.c"), "-o", obj);
            Dictionary<string, int> frames = File.ReadLines(Path.Combine(folder, "a.su")).Select(line => line.Split('\t'))
                .ToDictionary(parts => parts[0][(parts[0].LastIndexOf(':') + 1)..], parts => int.Parse(parts[1], CultureInfo.InvariantCulture));
            Dictionary<string, HashSet<string>> calls = Calls(Run("llvm-objdump", "-dr", obj), frames.Keys);
            (int bytes, string chain) = Worst("on_switch", frames, calls);
            TestContext.Current.SendDiagnosticMessage($"{bytes} bytes: {chain}");
            Assert.Contains("repair", chain, StringComparison.Ordinal);
            Assert.Contains("charge_elsewhere", chain, StringComparison.Ordinal);
            foreach (string program in (string[])["on_switch", "flush", "look", "on_exec", "on_rename", "on_free", "on_frequency"])
            {
                (bytes, chain) = Worst(program, frames, calls);
                Assert.True(bytes <= Limit - Headroom, $"{bytes} bytes of {Limit}: {chain}");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Bytes, string Chain) Worst(string function, Dictionary<string, int> frames, Dictionary<string, HashSet<string>> calls)
    {
        (int Bytes, string Chain) worst = (0, "");
        foreach (string callee in calls.GetValueOrDefault(function, []))
        {
            (int Bytes, string Chain) below = Worst(callee, frames, calls);
            worst = below.Bytes > worst.Bytes ? below : worst;
        }

        int own = (Math.Max(frames[function], 1) + Granule - 1) / Granule * Granule;
        return (own + worst.Bytes, string.Create(CultureInfo.InvariantCulture, $"{function} {own} {worst.Chain}"));
    }

    /// <summary>Who calls whom: by relocation, or within a section by distance.</summary>
    private static Dictionary<string, HashSet<string>> Calls(string listing, Dictionary<string, int>.KeyCollection functions)
    {
        Dictionary<(string Section, int At), string> starts = [];
        List<(string Caller, string Section, int Target)> byPlace = [];
        Dictionary<string, HashSet<string>> calls = functions.ToDictionary(name => name, _ => new HashSet<string>());
        string section = "", function = "";
        (int At, int Immediate)? open = null;
        foreach (string line in listing.Split('\n'))
        {
            if (Relocation().Match(line) is { Success: true } relocation && open is { } call)
            {
                open = null;
                string symbol = relocation.Groups[1].Value;
                if (functions.Contains(symbol))
                {
                    _ = calls[function].Add(symbol);
                }
                else
                {
                    byPlace.Add((function, symbol, call.Immediate + 1));
                }

                continue;
            }

            if (open is { } near)
            {
                byPlace.Add((function, section, near.At + 1 + near.Immediate));
                open = null;
            }

            if (line.StartsWith("Disassembly of section ", StringComparison.Ordinal))
            {
                section = line["Disassembly of section ".Length..].TrimEnd(':');
            }
            else if (Label().Match(line) is { Success: true } label && functions.Contains(label.Groups[2].Value))
            {
                function = label.Groups[2].Value;
                starts[(section, int.Parse(label.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 8)] = function;
            }
            else if (Call().Match(line) is { Success: true } found)
            {
                open = (int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(found.Groups[2].Value, CultureInfo.InvariantCulture));
            }
        }

        foreach ((string caller, string where, int target) in byPlace)
        {
            _ = calls[caller].Add(starts[(where, target)]);
        }

        return calls;
    }

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ends with {process.ExitCode}");
        return text;
    }

    [GeneratedRegex(@"^([0-9a-f]+) <(.+)>:$")]
    private static partial Regex Label();

    // The second byte 10: a call of another function of the object, not of a helper.
    [GeneratedRegex(@"^\s+(\d+):\s+85 10 .*\bcall (-?\d+)")]
    private static partial Regex Call();

    [GeneratedRegex(@"R_BPF_64_32\s+(\S+)")]
    private static partial Regex Relocation();
}
