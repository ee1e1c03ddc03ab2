using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Features;
using TransferPipeline.Onnx;
using TransferPipeline.Quantization;

namespace TransferPipeline.Jobs;

/// <summary>A quantized backbone that is not yet a file: its graph, and the recipe of its making.</summary>
/// <param name="Source">The float backbone.</param>
/// <param name="Recipe">What determines it, by name; it becomes metadata of the file.</param>
internal sealed record QuantizedBackbone(ResolvedModel Source, QuantizedNetwork Network, IReadOnlyList<KeyValuePair<string, string>> Recipe)
{
    /// <summary>Start of the names of metadata that this program writes into quantized files.</summary>
    private const string Prefix = "transfer.quantization.";

    /// <summary>The file's bytes; the same for the same recipe.</summary>
    public byte[] ToBytes()
    {
        var model = Network.Model;
        foreach (var old in model.MetadataProps.Where(p => p.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToList())
            model.MetadataProps.Remove(old);
        foreach (var (key, value) in Recipe)
            model.MetadataProps.Add(new StringStringEntryProto { Key = Prefix + key, Value = value });
        return model.ToByteArray();
    }

    /// <summary>What a file states of its quantization; empty for one that this program did not make.</summary>
    public static IReadOnlyDictionary<string, string> RecipeOf(Backbones.Backbone backbone) =>
        backbone
            .Metadata.Where(p => p.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(p => p.Key[Prefix.Length..], p => p.Value, StringComparer.Ordinal);

    /// <summary>
    /// Writes the model and its manifest, each wholly or not at all. The manifest comes first: between the two the model is missing or is
    /// refused for its hash, and never used with another preprocessing.
    /// </summary>
    /// <exception cref="JobFailedException">A file cannot be written.</exception>
    public ModelManifest Write(string file, byte[] bytes)
    {
        file = Path.GetFullPath(file);
        var manifest = Manifest(Path.GetFileNameWithoutExtension(file), Path.GetFileName(file), bytes);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            DurableFile.WriteText(Path.ChangeExtension(file, ".yaml"), ManifestYaml.Write(manifest));
            // Bytes that were hashed for the manifest, not a second serialization.
            DurableFile.Write(file, temporary => File.WriteAllBytes(temporary, bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{file} cannot be written: {e.OneLine()}", e);
        }

        return manifest;
    }

    private ModelManifest Manifest(string name, string fileName, byte[] bytes) =>
        new()
        {
            Name = name,
            File = fileName,
            Bytes = bytes.Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            License = Source.Manifest?.License ?? "unknown",
            InputSize = Source.Preprocessing.OutputHeight,
            Layout = Source.Manifest?.Layout ?? Source.Backbone!.Input.Layout,
            Preprocessing = Source.Preprocessing,
            PreprocessingSource = $"that of {Source.Name}, from which it was quantized",
            Cut = Source.Manifest?.Cut ?? "",
            Note = string.Join("; ", Recipe.Select(r => $"{r.Key} {r.Value}")),
        };

    /// <summary>One hash for a list of photos, whatever their order.</summary>
    public static string HashOf(IEnumerable<string> photoSha256s) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', photoSha256s.Order(StringComparer.Ordinal)))));

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Network.Layers} layers in 8 bits, {Network.Left.Count} in float{(Network.Equalized ? ", channels equalized" : "")}; mean "
                + $"cosine {Network.Cosine:0.0000} on the photos of the search"
        );
}
