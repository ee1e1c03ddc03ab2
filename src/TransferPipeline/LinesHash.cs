using System.Security.Cryptography;
using System.Text;

namespace TransferPipeline;

/// <summary>SHA-256 of a list, such as one of photos.</summary>
internal static class LinesHash
{
    /// <returns>Lower-case hex, of the lines in UTF-8, each with its end.</returns>
    public static string Of(IEnumerable<string> lines)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var line in lines)
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
