using Keck.Metering;

namespace Keck.Power;

/// <summary>What the inputs of hwmon chips measure, by the chip's <c>name</c> and the input's label.</summary>
internal static class HwmonChips
{
    /// <summary>The domain of an input; <c>board</c>, which is never attributed, where that is not known.</summary>
    internal static EnergyDomain DomainOf(string chip, string label) => chip switch
    {
        _ when label.StartsWith("Esocket", StringComparison.OrdinalIgnoreCase) => EnergyDomain.Package,
        _ when label.StartsWith("Ecore", StringComparison.OrdinalIgnoreCase) => EnergyDomain.Core,
        "fam15h_power" => EnergyDomain.Package,
        "zenpower" => label.Contains("SoC", StringComparison.OrdinalIgnoreCase) ? EnergyDomain.Uncore : EnergyDomain.Core,
        "power_meter" or "acpi_power_meter" => EnergyDomain.Platform,
        "corsairpsu" => label is "power total" ? EnergyDomain.Platform : EnergyDomain.Board,
        "ibmpowernv" => label is "System" ? EnergyDomain.Platform : EnergyDomain.Board,
        "amdgpu" or "i915" or "xe" or "nouveau" => EnergyDomain.Gpu,
        "nvme" or "drivetemp" => EnergyDomain.Storage,
        _ => EnergyDomain.Board,
    };
}
