namespace Keck.Metering;

/// <summary>Where a figure comes from. The order is that of the names in traces and metrics, not of trust.</summary>
public enum EnergyOrigin
{
    /// <summary>RAPL counters through powercap.</summary>
    Rapl,

    /// <summary>RAPL counters through the kernel's perf <c>power</c> PMUs.</summary>
    PerfPower,

    /// <summary>A hwmon energy or power input.</summary>
    Hwmon,

    /// <summary>A BMC asked over Redfish.</summary>
    Redfish,

    /// <summary>A BMC asked over IPMI (DCMI).</summary>
    Ipmi,

    /// <summary>A serial power meter.</summary>
    Serial,

    /// <summary>An NVIDIA GPU through NVML.</summary>
    Nvml,

    /// <summary>An NVIDIA GPU through DCGM.</summary>
    Dcgm,

    /// <summary>A budget handed down by the host of this virtual machine.</summary>
    Budget,

    /// <summary>No sensor at all: coefficients of the CPU generation times utilisation.</summary>
    Estimate,
}
