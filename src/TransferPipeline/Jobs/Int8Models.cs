using System.Security.Cryptography;
using System.Text;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <summary>
/// Quantized backbones in the user's model store, made once for a float backbone, a dataset's training photos and options. They have
/// names and manifests like other models, so that feature sets and classifiers made with them find them again.
/// </summary>
internal sealed class Int8Models(Toolbox tools, BackboneQuantizer quantizer, Action<string> message)
{
    /// <summary>Mean cosine to the float vectors below which a backbone is not used.</summary>
    private const double LeastCosine = 0.9;

    /// <summary>The int8 form of a backbone, made when it is not there.</summary>
    /// <param name="folders">Feature sets that will be written: one that exists already names its backbone, which new photos do not
    /// change.</param>
    /// <exception cref="UsageException">The backbone cannot be quantized.</exception>
    /// <exception cref="JobFailedException">Its int8 vectors are too far from the float ones, or the store cannot be written.</exception>
    public ResolvedModel Of(ResolvedModel model, Dataset dataset, IEnumerable<string> folders, CancellationToken cancellation)
    {
        var (name, photos, there) = Find(model, dataset, folders);
        if (there is not null)
            return there;
        Directory.CreateDirectory(tools.Models.UserFolder);
        // Waited for as long as it takes: the other run may be making this very backbone.
        using var held = FolderLock.Take(tools.Models.UserFolder, Timeout.InfiniteTimeSpan, message, cancellation);
        // Another run may have made it while this one waited.
        if (Stored(name) is { } meanwhile)
            return meanwhile;
        message($"int8: quantizing {model.Name} on {photos!.Entries.Count} training photos of {dataset.Source}, once");
        var made = quantizer.Quantize(model, photos, cancellation);
        if (made.Network.Cosine < LeastCosine)
            throw new JobFailedException(
                FormattableString.Invariant(
                    $"int8 vectors of {model.Name} have a mean cosine of {made.Network.Cosine:0.000} to its float vectors, at least "
                ) + FormattableString.Invariant($"{LeastCosine} is required: use --precision fp32")
            );
        message($"int8: {name}: {made}");
        made.Write(Path.Combine(tools.Models.UserFolder, name + ".onnx"), made.ToBytes());
        return tools.Models.Resolve(name);
    }

    /// <summary>The name of the int8 form of a backbone, and the backbone where it is there; nothing is made.</summary>
    /// <returns>The photos that it would be made by; null where a feature set already names the backbone.</returns>
    /// <exception cref="UsageException">The photos that it would be made by cannot be read.</exception>
    public (string Name, CalibrationSet? Photos, ResolvedModel? There) Find(
        ResolvedModel model,
        Dataset dataset,
        IEnumerable<string> folders
    )
    {
        if (OfSets(model, dataset, folders) is { } used)
        {
            message($"int8: {used.Name}, which made the vectors that are there");
            return (used.Name, null, used);
        }

        var photos = quantizer.Choose(model, dataset);
        var name = NameOf(model, quantizer.RecipeOf(model, photos));
        return (name, photos, Stored(name));
    }

    /// <summary>The backbone of a feature set that is there, when it is this model's int8 form by the same options.</summary>
    private ResolvedModel? OfSets(ResolvedModel model, Dataset dataset, IEnumerable<string> folders)
    {
        foreach (var folder in folders.Where(f => File.Exists(Path.Combine(f, FeatureManifest.FileName))))
        {
            if (FeatureManifest.Read(folder) is not { } manifest || Stored(manifest.Recipe.Model) is not { } stored)
                continue;
            // Without the photos, which are in the key: those that were added since then do not change the backbone.
            if (quantizer.IsMadeOf(QuantizedBackbone.RecipeOf(Backbone.Open(stored.File)), model, dataset))
                return stored;
        }

        return null;
    }

    /// <summary>The model of this name when its file is there and is what its manifest states; a torn pair counts as absent.</summary>
    private ResolvedModel? Stored(string name)
    {
        if (!tools.Models.Names().Contains(name) || !File.Exists(Path.Combine(tools.Models.UserFolder, name + ".onnx")))
            return null;
        try
        {
            return tools.Models.Resolve(name);
        }
        catch (BadInputException)
        {
            message($"int8: {name} in the store is damaged and is made again");
            return null;
        }
    }

    private static string NameOf(ResolvedModel model, IReadOnlyList<KeyValuePair<string, string>> recipe)
    {
        // Without the source's name, which is in front of the key:
        // a copy of the model under another name has the same key.
        var text = string.Join('\n', recipe.Skip(1).Select(r => $"{r.Key}={r.Value}"));
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
        return NameStart(model) + key;
    }

    /// <summary>The start of the names of a backbone's int8 forms; a key follows.</summary>
    public static string NameStart(ResolvedModel model)
    {
        // A model that was given as a file can have any name,
        // and this one becomes a file's name. A leading dot would hide it.
        var safe = string.Concat(model.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));
        return $"{safe.TrimStart('.')}-int8-";
    }
}
