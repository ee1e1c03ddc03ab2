using System.Text.Json;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Makes Parquet files of the shape that Hugging Face's datasets library writes.</summary>
internal static class HuggingFaceFiles
{
    /// <summary>The photos of one split's class folders with labels from the folders; paths are from <paramref name="root"/>.</summary>
    /// <param name="paths">Whether the rows say where the photos came from.</param>
    public static void Write(string file, string root, string split, bool paths = true)
    {
        string[] names =
        [
            .. Directory.GetDirectories(Path.Combine(root, "train")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal),
        ];
        string[] photos =
        [
            .. Directory.GetFiles(Path.Combine(root, split), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal),
        ];
        var images = photos.Select(photo =>
            ((byte[]?, string?)?)(File.ReadAllBytes(photo), paths ? Path.GetRelativePath(root, photo) : null)
        );
        var labels = photos.Select(photo => (long?)Array.IndexOf(names, Path.GetFileName(Path.GetDirectoryName(photo))));
        Write(file, names, TypedParquet.Images("image", [.. images]), TypedParquet.Int64("label", [.. labels]));
    }

    /// <summary>Any columns with the library's metadata, a label's class names among them.</summary>
    public static void Write(string file, string[] names, params TypedColumn[] columns) =>
        TypedParquet.Write(file, columns, null, new Dictionary<string, string> { ["huggingface"] = Metadata(names) });

    private static string Metadata(string[] names) =>
        JsonSerializer.Serialize(
            new { info = new { features = new { image = new { _type = "Image" }, label = new { names, _type = "ClassLabel" } } } }
        );
}
