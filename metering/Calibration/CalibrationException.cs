namespace Keck.Metering;

/// <summary>A commissioning run that no profile can be fitted to; the message says why, and what to do.</summary>
public sealed class CalibrationException(string message) : Exception(message);
