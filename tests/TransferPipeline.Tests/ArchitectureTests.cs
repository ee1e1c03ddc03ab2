using System.Reflection;

namespace TransferPipeline.Tests;

/// <summary>The library's namespaces are the data's way; each may use only those before it.</summary>
public sealed class ArchitectureTests
{
    /// <summary>From the photos to the classifier. A folder that is not listed shares the namespace of the folder above it.</summary>
    private static readonly string[] Order =
    [
        "Platform",
        "",
        "Onnx",
        "Datasets",
        "Images",
        "Images.Augmentations",
        "Backbones",
        "Backbones.Store",
        "Inference.Gpu.Cuda",
        "Inference",
        "Inference.Gpu",
        "Features",
        "Extraction.Resume",
        "Extraction",
        "Heads.Numerics",
        "Heads.Common",
        "Heads.Linear",
        "Heads.Networks",
        "Heads",
        "Quantization",
        "Tuning",
        "Evaluation",
        "Reports",
        "Classifiers",
        "Jobs",
        "Pipelines.Yaml",
        "Pipelines",
    ];

    private static readonly Assembly Library = typeof(TransferException).Assembly;

    private static readonly string Source = Path.Combine(SharedData.Repository, "src", "TransferPipeline");

    public static TheoryData<string> Namespaces => [.. Order];

    [Theory]
    [MemberData(nameof(Namespaces))]
    public void Namespace_UsesOnlyNamespacesBeforeIt(string name)
    {
        var later = Order[(Array.IndexOf(Order, name) + 1)..];
        var offences =
            from type in Library.GetTypes()
            where ShortName(type) == name
            from used in UsedTypes.Of(type)
            where later.Contains(ShortName(used))
            select $"{type.FullName} uses {used.FullName}";
        Assert.Empty(offences.Distinct());
    }

    [Fact]
    public void Library_HasNoNamespaceOutsideTheOrder()
    {
        var names = Library
            .GetTypes()
            .Where(t => t.Namespace?.StartsWith("TransferPipeline", StringComparison.Ordinal) == true)
            .Select(ShortName);
        Assert.Equal(Order.Order(StringComparer.Ordinal), names.Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>A type is found by its namespace: in that folder, or in a folder below it that has no namespace of its own.</summary>
    [Fact]
    public void SourceFiles_LieInTheFolderOfTheirNamespace()
    {
        var offences =
            from file in Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            let folder = Path.GetRelativePath(Source, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.')
            let declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))
            where declared is not null && declared != $"namespace {Expected(folder)};"
            select $"{file}: {declared}";
        Assert.Empty(offences);
    }

    /// <summary>The tests of a file of the library lie in a folder of the same name.</summary>
    [Fact]
    public void Tests_MirrorTheLibrary()
    {
        var folders = Files(Source).ToLookup(f => f.Name, f => f.Folder);
        var offences =
            from test in Files(Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests"))
            where test.Name.EndsWith("Tests", StringComparison.Ordinal)
            let own = folders[test.Name[..^"Tests".Length]]
            where own.Any() && !own.Contains(test.Folder)
            select $"{test.Folder}/{test.Name} is of {string.Join(", ", own)}";
        Assert.Empty(offences);

        static IEnumerable<(string Name, string Folder)> Files(string root) =>
            Directory
                .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
                .Select(f => (Path.GetFileNameWithoutExtension(f), Path.GetRelativePath(root, Path.GetDirectoryName(f)!)));
    }

    [Fact]
    public void Library_UsesNoOutsideImageParquetOrTrainingLibrary()
    {
        string[] outside =
        [
            "SixLabors",
            "Parquet.",
            "ParquetSharp",
            "Microsoft.ML.Data",
            "Microsoft.ML.Trainers",
            "TorchSharp",
            "NetVips",
            "turbojpeg",
        ];
        var offences =
            from file in Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            from line in File.ReadLines(file)
            where line.StartsWith("using ", StringComparison.Ordinal) || line.Contains("LibraryImport(", StringComparison.Ordinal)
            from name in outside
            where line.Contains(name, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Source, file)}: {line.Trim()}";
        Assert.Empty(offences);
    }

    /// <summary>The namespace of the nearest folder upwards that has one.</summary>
    private static string Expected(string folder)
    {
        var name = folder == "." ? "" : folder;
        while (!Order.Contains(name))
            name = name.Contains('.') ? name[..name.LastIndexOf('.')] : "";
        return name.Length == 0 ? "TransferPipeline" : $"TransferPipeline.{name}";
    }

    private static string ShortName(Type type) =>
        type.Namespace switch
        {
            "TransferPipeline" => "",
            { } name when name.StartsWith("TransferPipeline.", StringComparison.Ordinal) => name["TransferPipeline.".Length..],
            _ => "none",
        };
}
