using System.IO.Compression;
using System.Xml.Linq;

namespace TransferPipeline.Tests.Packages;

/// <summary>A folder of empty packages that stands for a package source.</summary>
internal sealed class PackageSource(string folder)
{
    /// <summary>The packages that build/probe asks for, and versions that satisfy it.</summary>
    public static IReadOnlyDictionary<string, string> Asked { get; } = new Dictionary<string, string>
    {
        ["Google.Protobuf"] = "3.25.1",
        ["Microsoft.ML"] = "5.0.0",
        ["Microsoft.ML.FastTree"] = "5.0.0",
        ["Microsoft.ML.LightGbm"] = "5.0.0",
        ["Microsoft.ML.OnnxRuntime"] = "1.29.0",
        ["Microsoft.ML.OnnxRuntime.Managed"] = "1.29.0",
        ["Parquet.Net"] = "5.6.1",
        ["SixLabors.ImageSharp"] = "3.1.12",
        ["System.Numerics.Tensors"] = "9.0.23",
        ["TorchSharp"] = "0.106.0",
        ["TorchSharp-cpu"] = "0.106.0",
    };

    public string Folder { get; } = Directory.CreateDirectory(folder).FullName;

    /// <summary>All that is asked for, less those packages.</summary>
    public PackageSource FillBut(params string[] without)
    {
        foreach (var (id, version) in Asked.Where(package => !without.Contains(package.Key)))
            Add(id, version);
        return this;
    }

    /// <param name="dependency">A package that it needs, at this version or a higher one.</param>
    public PackageSource Add(string id, string version, (string Id, string Version)? dependency = null)
    {
        XNamespace nuspec = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd";
        var metadata = new XElement(nuspec + "metadata",
            new XElement(nuspec + "id", id), new XElement(nuspec + "version", version), new XElement(nuspec + "authors", "test"), new XElement(nuspec + "description", "test"));
        if (dependency is { } needed)
            metadata.Add(new XElement(nuspec + "dependencies", new XElement(nuspec + "dependency", new XAttribute("id", needed.Id), new XAttribute("version", needed.Version))));
        using var package = ZipFile.Open(Path.Combine(Folder, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        using var writer = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open());
        new XElement(nuspec + "package", metadata).Save(writer);
        return this;
    }
}
