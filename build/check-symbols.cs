// Checks that a debugger gets each source file of an assembly: its symbols are inside it, and each document is inside too or SourceLink has
// an address for it whose path is a file of the checkout.
// Usage: dotnet run build/check-symbols.cs -- CHECKOUT ASSEMBLY...
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;

if (args is not [var checkout, _, ..])
{
    Console.Error.WriteLine("usage: dotnet run build/check-symbols.cs -- CHECKOUT ASSEMBLY...");
    return 2;
}

var failed = false;
foreach (var file in args[1..])
{
    using var assembly = new PEReader(File.OpenRead(file));
    var entry = assembly.ReadDebugDirectory().FirstOrDefault(e => e.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
    if (entry.DataSize == 0)
    {
        Console.Error.WriteLine($"{file}: has no symbols inside");
        failed = true;
        continue;
    }

    using var symbols = assembly.ReadEmbeddedPortablePdbDebugDirectoryData(entry);
    var reader = symbols.GetMetadataReader();
    var (addresses, embedded, mapped) = (Symbols.SourceLink(reader), 0, 0);
    foreach (var handle in reader.Documents)
    {
        var name = reader.GetString(reader.GetDocument(handle).Name);
        if (Symbols.Blob(reader, handle, Symbols.EmbeddedSource) is not null)
            embedded++;
        else if (Symbols.PathOf(addresses, name) is { } path && File.Exists(Path.Combine(checkout, path)))
            mapped++;
        else
        {
            Console.Error.WriteLine($"{file}: a debugger does not find {name}");
            failed = true;
        }
    }

    Console.WriteLine($"{Path.GetFileName(file)}: {mapped} sources by SourceLink, {embedded} inside ({addresses?.To})");
}

return failed ? 1 : 0;

/// <summary>Custom debug information of the Portable PDB format.</summary>
internal static class Symbols
{
    public static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    private static readonly Guid Link = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    /// <summary>A folder of the build and the address that it stands for, both ending with <c>*</c>.</summary>
    public sealed record Addresses(string From, string To);

    public static Addresses? SourceLink(MetadataReader reader)
    {
        if (Blob(reader, System.Reflection.Metadata.EntityHandle.ModuleDefinition, Link) is not { } json)
            return null;
        var (from, to) = JsonNode.Parse(json)!["documents"]!.AsObject().Single();
        return new(from, to!.GetValue<string>());
    }

    /// <summary>Path in the repository of a source; the addresses of the known hosts have it behind the commit.</summary>
    public static string? PathOf(Addresses? addresses, string document) =>
        addresses is not null && document.StartsWith(addresses.From.TrimEnd('*'), StringComparison.Ordinal)
            ? document[(addresses.From.Length - 1)..]
            : null;

    public static byte[]? Blob(MetadataReader reader, EntityHandle parent, Guid kind)
    {
        foreach (var handle in reader.GetCustomDebugInformation(parent))
        {
            var information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) == kind)
                return reader.GetBlobBytes(information.Value);
        }

        return null;
    }
}
