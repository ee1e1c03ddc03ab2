using TransferPipeline.Datasets;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;

namespace TransferPipeline.Backbones.Store;

internal sealed partial class ModelStore
{
    /// <summary>
    /// Copies a model file into the user's store with a manifest, so that it has a name; under the name of a manifest that it matches, the
    /// file alone.
    /// </summary>
    /// <param name="name">Letters, digits, '.', '_' and '-'; null takes the file's name.</param>
    /// <param name="change">Changes the preprocessing that the file and what lies beside it state; null takes it as it is.</param>
    /// <param name="before">A preprocessing graph that is put in front of the model; null for none.</param>
    /// <exception cref="UsageException">The name is taken or not valid, or the model has data files beside it.</exception>
    /// <exception cref="BadInputException">The file takes no photos.</exception>
    public ModelEntry Add(
        string file,
        string? name = null,
        Func<Preprocessing, Preprocessing>? change = null,
        string license = "unknown",
        string note = "",
        string? before = null
    )
    {
        name ??= Path.GetFileNameWithoutExtension(file);
        if (name.Length == 0 || name[0] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            Throw.Usage($"'{name}' is not a model name; expected letters, digits, '.', '_' and '-'");
        if (FileNames.Problem(name) is { } problem)
            Throw.Usage($"'{name}' is not a model name on every platform: {problem}; choose another one");
        if (before is null)
            return Store(file, name, change, license, note);
        var joined = TemporaryPath.New(".onnx");
        try
        {
            using (var stream = File.Create(joined))
                ModelSerializer.Write(GraphJoin.Join(OnnxFile.Read(before), OnnxFile.Read(file)), stream);
            return Store(joined, name, change, license, note);
        }
        finally
        {
            File.Delete(joined);
        }
    }

    private ModelEntry Store(string file, string name, Func<Preprocessing, Preprocessing>? change, string license, string note)
    {
        var backbone = Backbone.Open(file);
        if (backbone.HasExternalData)
            Throw.Usage($"{file}: keeps its weights in other files; use it by its path, with a manifest beside it");
        if (Names().Contains(name))
            return Known(Find(name), backbone, name, change);
        var assumed = AssumedPreprocessing.Of(backbone);
        var preprocessing = change?.Invoke(assumed.Preprocessing) ?? assumed.Preprocessing;
        if (!backbone.Input.SizeIsFixed && preprocessing is { OutputHeight: > 0, OutputWidth: > 0 })
            backbone = Backbone.Open(file, new PhotoSize(preprocessing.OutputHeight, preprocessing.OutputWidth));
        if (change is null && assumed.Question is { } question)
            Throw.Usage(question);
        var size = new Preprocessor(preprocessing);
        if (size.OutputHeight != backbone.Input.Height || size.OutputWidth != backbone.Input.Width)
        {
            var gives = size.OutputWidth == 0 ? "photos of differing sizes" : $"{size.OutputHeight} x {size.OutputWidth} pixels";
            Throw.Usage(
                $"the preprocessing gives {gives}, {Path.GetFileName(file)} takes {backbone.Input.Height} x {backbone.Input.Width}: "
                    + $"set its crop to that size"
            );
        }

        var manifest = new ModelManifest
        {
            Name = name,
            File = name + ".onnx",
            Bytes = FileBytes.Length(file),
            Sha256 = backbone.Sha256,
            License = license,
            InputSize = backbone.Input.Height,
            Layout = backbone.Input.Layout,
            Preprocessing = preprocessing,
            PreprocessingSource = change is null
                ? assumed.Source
                : $"given to 'transfer models add'; otherwise it would be {assumed.Source}",
            Cut = FeatureOf(backbone),
            Note = note,
        };
        // The model first: a manifest without its file would be a name that cannot be used.
        var manifestFile = Path.Combine(UserFolder, name + ".yaml");
        var target = Copy(backbone.File, manifest);
        try
        {
            DurableFile.WriteText(manifestFile, ManifestYaml.Write(manifest));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{UserFolder}: the model cannot be stored: {e.OneLine()}", e);
        }

        return new(manifest, target, manifestFile);
    }

    /// <summary>The file of a model whose manifest is here already.</summary>
    private ModelEntry Known(ModelEntry entry, Backbone backbone, string name, Func<Preprocessing, Preprocessing>? change)
    {
        if (entry.File is not null)
            Throw.Usage($"there is a model '{name}' already; choose another name with --name");
        if (entry.Manifest.Sha256 != backbone.Sha256)
            Throw.Usage(
                $"there is a manifest '{name}' already, of another file (SHA-256 {entry.Manifest.Sha256[..12]}..., this one has "
                    + $"{backbone.Sha256[..12]}...); choose another name with --name"
            );
        if (change is not null)
            Throw.Usage(
                $"the manifest '{name}' states the preprocessing of this file already; leave out the options of preprocessing, "
                    + "or choose another name with --name"
            );
        return entry with { File = Copy(backbone.File, entry.Manifest) };
    }

    private string Copy(string file, ModelManifest manifest)
    {
        var target = Path.Combine(UserFolder, manifest.File);
        try
        {
            Directory.CreateDirectory(UserFolder);
            DurableFile.Write(
                target,
                temporary =>
                {
                    File.Copy(file, temporary, overwrite: true);
                    // The copy is hashed, not the source, which may change while it is copied.
                    Check(manifest, temporary);
                }
            );
            return target;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{UserFolder}: the model cannot be stored: {e.OneLine()}", e);
        }
    }
}
