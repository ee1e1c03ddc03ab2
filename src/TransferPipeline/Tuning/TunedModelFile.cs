using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Features;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tuning;

/// <summary>Writes a backbone's graph with trained weights in the place of its own, and a manifest beside it.</summary>
internal static class TunedModelFile
{
    /// <summary>Key of the metadata that state how a file was made.</summary>
    public const string MetadataKey = "transfer.finetune";

    /// <summary>
    /// Writes the graph; what was not trained is copied from the backbone's own files. The bytes depend on the arguments alone.
    /// </summary>
    public static void Write(string file, Backbone backbone, IReadOnlyList<TunedParameter> parameters, TunedWeights weights, string madeBy)
    {
        var model = backbone.CopyModel();
        var graph = model.Graph;
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < graph.Initializer.Count; i++)
            places[graph.Initializer[i].Name] = i;
        foreach (var parameter in parameters)
        {
            // In the file itself, also where the weight was external data: there the untrained values are.
            var tensor = TensorData.Of(parameter.Name, weights.Graph[parameter.Name], [.. parameter.Shape]);
            if (places.TryGetValue(parameter.Name, out var place))
            {
                graph.Initializer[place] = tensor;
                continue;
            }

            // A Constant, or a copy of an initializer that trains on its own: the values take the node's place.
            var node =
                graph.Node.FirstOrDefault(n => n.Output.Contains(parameter.Name))
                ?? throw new InvalidOperationException($"{backbone.File} has no tensor '{parameter.Name}'");
            // ONNX forbids a second maker of a tensor.
            graph.Node.Remove(node);
            graph.Initializer.Add(tensor);
            model.AllowUnlistedInitializers();
        }

        // A tuned backbone may be tuned again; its file states how it was made last.
        foreach (var old in model.MetadataProps.Where(p => p.Key == MetadataKey).ToList())
            model.MetadataProps.Remove(old);
        model.MetadataProps.Add(new StringStringEntryProto { Key = MetadataKey, Value = madeBy });
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        ModelSerializer.Write(model, stream);
        // To disk before the file gets its name: a power failure must not leave the name without the content.
        stream.Flush(flushToDisk: true);
    }

    /// <summary>The manifest of a written file, which names its preprocessing to whatever takes it as a model.</summary>
    /// <param name="written">The file, perhaps under a temporary name.</param>
    public static ModelManifest Manifest(string file, string written, ResolvedModel model, ExtractedFrom from, string note)
    {
        var (bytes, sha256) = DurableFile.Hash(written);
        return new()
        {
            Name = Path.GetFileNameWithoutExtension(file),
            File = Path.GetFileName(file),
            Bytes = bytes,
            Sha256 = sha256,
            License = model.Manifest?.License ?? "NOASSERTION",
            InputSize = from.Input.Height,
            Layout = from.Input.Layout,
            Preprocessing = from.Preprocessing,
            PreprocessingSource = $"as of {model.Name}, from which it was fine-tuned",
            Cut = from.Cut,
            Note = note,
        };
    }

    /// <summary>Where the manifest of a model file lies.</summary>
    public static string ManifestFile(string file) => Path.ChangeExtension(file, ".yaml");
}

/// <param name="Cut">The feature's tensor for an encoder; empty for a classifier.</param>
internal sealed record ExtractedFrom(BackboneInput Input, Images.Preprocessing Preprocessing, string Cut);
