namespace Keck.Power;

/// <summary>A small file's text, or what was wrong.</summary>
/// <param name="Text">The text without white space around it; empty where there is none.</param>
/// <param name="Fault">Why there is none.</param>
internal readonly record struct FileText(string Text, FileFault Fault)
{
    /// <summary>The text as a number.</summary>
    internal FileNumber Number => Fault is FileFault.None or FileFault.Empty
        ? FileNumber.Parse(System.Text.Encoding.UTF8.GetBytes(Text))
        : new FileNumber(0, Fault);
}
