// The product and its tests run on Linux only: modes of files and signals may be used.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
