using System.Net;

namespace Keck.Agent;

/// <summary>Where the API is served. Safe by default: loopback and a unix socket only.</summary>
public sealed record ApiListenOptions
{
    /// <summary>Address and port; null to serve on the unix socket only.</summary>
    /// <value>An IP address and port such as <c>127.0.0.1:9470</c> (default) or <c>[::1]:9470</c>; port 0 takes any free one.</value>
    public string? Address { get; init; } = "127.0.0.1:9470";

    /// <summary>Unix socket, mode 0660; null for none.</summary>
    /// <value>An absolute path; default <c>/run/keck/host.sock</c>.</value>
    public string? UnixSocket { get; init; } = "/run/keck/host.sock";

    /// <summary>Certificate chain in PEM; null for no TLS.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The certificate's private key in PEM; null where the certificate file holds it.</summary>
    public string? KeyFile { get; init; }

    /// <summary>File with the bearer token that TCP clients must send, at least 16 characters; null for none.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The address taken apart; null where there is none or it is malformed.</summary>
    public IPEndPoint? EndPoint => Address is not null && Address.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(Address, out IPEndPoint? point) ? point : null;

    /// <summary>Everything that is wrong with these options, in words; empty when they are safe.</summary>
    /// <param name="minimal">Whether the profile does without Kestrel.</param>
    public IReadOnlyList<string> Validate(bool minimal)
    {
        List<string> errors = [];
        if (Address is not null && EndPoint is null)
        {
            errors.Add($"listen address '{Address}' must be an IP address and a port, such as 127.0.0.1:9470 or [::1]:9470");
        }

        if (EndPoint is { } point && !IPAddress.IsLoopback(point.Address))
        {
            if (minimal)
            {
                errors.Add($"listen address {Address} is not loopback: the minimal profile serves 127.0.0.1 only (take --profile standard)");
            }
            else if (CertificateFile is null && TokenFile is null)
            {
                errors.Add($"listen address {Address} is not loopback: energy readings and process names are for those allowed to see them only; "
                    + "give a certificate (TLS) or a token file, or listen on 127.0.0.1");
            }
        }

        if (minimal && CertificateFile is not null)
        {
            errors.Add("the minimal profile has no TLS: take --profile standard, or leave the certificate out");
        }

        if (KeyFile is not null && CertificateFile is null)
        {
            errors.Add($"key file {KeyFile} without a certificate file");
        }

        foreach (string file in new[] { CertificateFile, KeyFile, TokenFile }.OfType<string>().Where(file => !File.Exists(file)))
        {
            errors.Add($"file {file} does not exist or may not be read");
        }

        if (UnixSocket is not null && !Path.IsPathFullyQualified(UnixSocket))
        {
            errors.Add($"unix socket '{UnixSocket}' must be an absolute path");
        }

        if (Address is null && (UnixSocket is null || minimal))
        {
            errors.Add(minimal ? "the minimal profile serves TCP only and has no listen address" : "neither a listen address nor a unix socket: nobody could ask this agent");
        }

        return errors;
    }
}
