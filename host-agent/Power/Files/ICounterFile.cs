namespace Keck.Power;

/// <summary>A file read again and again through one descriptor.</summary>
internal interface ICounterFile : IDisposable
{
    /// <summary>Reads the number in it; allocates nothing while all is well.</summary>
    FileNumber Read();
}
