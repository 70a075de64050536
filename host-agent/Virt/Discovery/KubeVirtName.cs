namespace Keck.Virt;

/// <summary>KubeVirt's names of domains, <c>NAMESPACE_VMI</c>: neither part can hold an underscore.</summary>
internal static class KubeVirtName
{
    /// <summary>Takes a name apart; false for a name that is not KubeVirt's.</summary>
    internal static bool TrySplit(string? name, out string? space, out string? vmi)
    {
        (space, vmi) = (null, null);
        int at = name?.IndexOf('_', StringComparison.Ordinal) ?? -1;
        if (at <= 0 || at == name!.Length - 1 || name.IndexOf('_', at + 1) >= 0)
        {
            return false;
        }

        (space, vmi) = (name[..at], name[(at + 1)..]);
        return true;
    }
}
