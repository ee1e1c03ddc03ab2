using TransferPipeline.Datasets;
using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones.Store;

/// <summary>One line of <c>models list</c>.</summary>
/// <param name="File">Full path of the model's file, null when it is not here.</param>
/// <param name="ManifestFile">Full path of its manifest.</param>
internal sealed record ModelEntry(ModelManifest Manifest, string? File, string ManifestFile);

/// <summary>
/// Finds backbones by name or file: manifests and files that come with the program, and the user's own store, where downloads go.
/// A file that has a manifest is used only when its SHA-256 agrees.
/// </summary>
internal sealed partial class ModelStore
{
    private readonly string[] _folders;

    /// <param name="builtIn">Folder that comes with the program; only read.</param>
    /// <param name="userFolder">The user's store; made when needed.</param>
    public ModelStore(string builtIn, string userFolder)
    {
        (BuiltIn, UserFolder) = (builtIn, Path.GetFullPath(userFolder));
        _folders = [BuiltIn, UserFolder];
    }

    public string BuiltIn { get; }

    public string UserFolder { get; }

    /// <summary>
    /// The program's models folder, and TRANSFER_MODELS, else transfer/models in XDG_CACHE_HOME, else ~/.cache/transfer/models.
    /// </summary>
    public static ModelStore Default()
    {
        var user = Environment.GetEnvironmentVariable("TRANSFER_MODELS");
        return new(
            BuiltInFolder(AppContext.BaseDirectory, typeof(ModelStore).Assembly.Location),
            string.IsNullOrEmpty(user) ? UserCache.Folder("models") : user
        );
    }

    /// <summary>
    /// The models beside the program; in a script or notebook, whose program is dotnet fsi or a kernel, those of the package that the
    /// library was loaded from.
    /// </summary>
    /// <param name="program">The program's folder.</param>
    /// <param name="library">This assembly's file; empty in a single-file program.</param>
    internal static string BuiltInFolder(string program, string library)
    {
        var beside = Path.Combine(program, "models");
        if (Directory.Exists(beside) || library.Length == 0)
            return beside;
        // A package has its assembly in lib/net10.0.
        var packaged = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(library)!, "..", "..", "models"));
        return Directory.Exists(packaged) ? packaged : beside;
    }

    /// <summary>
    /// All models with a manifest, in ordinal order of their names; the user's manifest hides a built-in one of the same name.
    /// </summary>
    public IReadOnlyList<ModelEntry> List() =>
        [
            .. _folders
                // The user's folder comes first, and DistinctBy keeps the first of a name.
                .Reverse()
                .Where(Directory.Exists)
                .SelectMany(f => Directory.EnumerateFiles(f, "*.yaml").Order(StringComparer.Ordinal))
                .Select(f => Entry(ManifestYaml.Read(f), f))
                .DistinctBy(e => e.Manifest.Name)
                .OrderBy(e => e.Manifest.Name, StringComparer.Ordinal),
        ];

    /// <summary>Names that <see cref="Resolve"/> knows, without reading the manifests.</summary>
    public IReadOnlyList<string> Names() =>
        [
            .. _folders
                .Where(Directory.Exists)
                .SelectMany(f => Directory.EnumerateFiles(f, "*.yaml"))
                .Select(f => Path.GetFileNameWithoutExtension(f))
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>A model by its name, or a model file by its path.</summary>
    /// <param name="inputSize">Side of the photos for a file that leaves it open; 0 means 224.</param>
    /// <exception cref="UsageException">There is no such model (the nearest name is suggested), or its file is not here yet (how to get it
    /// is stated).</exception>
    /// <exception cref="BadInputException">The file is damaged: its SHA-256 is not the manifest's.</exception>
    public ResolvedModel Resolve(string nameOrFile, int inputSize = 0) =>
        // A file without an extension in the working folder must not hide the model of that name.
        IsPath(nameOrFile) || (File.Exists(nameOrFile) && !_folders.Any(f => File.Exists(Path.Combine(f, nameOrFile + ".yaml"))))
            ? ResolveFile(nameOrFile, inputSize)
            : ResolveName(nameOrFile);

    /// <summary>Hashes a model's file.</summary>
    /// <returns>The full path of the verified file.</returns>
    /// <exception cref="UsageException">There is no such model, or its file is not here.</exception>
    /// <exception cref="BadInputException">Its length or SHA-256 is not the manifest's.</exception>
    public string Verify(string name)
    {
        var entry = Find(name);
        if (entry.File is null)
            Throw.Usage($"model '{name}' is not here yet: {HowToGet(entry.Manifest)}");
        Check(entry.Manifest, entry.File);
        return entry.File;
    }

    /// <summary>Whether a text is a file's path by its form; any other is a name.</summary>
    internal static bool IsPath(string nameOrFile) =>
        nameOrFile.Contains('/')
        || nameOrFile.Contains(Path.DirectorySeparatorChar)
        || nameOrFile.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    private ResolvedModel ResolveName(string name)
    {
        var entry = Find(name);
        // The file is hashed whenever it is used: vectors are recorded under the manifest's SHA-256.
        var file = Verify(name);
        // A user's manifest of an encoder may be older than the key that names its feature.
        var isOpen = entry.Manifest.Cut.Length == 0 && Path.GetDirectoryName(entry.ManifestFile) == UserFolder;
        return new(entry.Manifest.Name, file, entry.Manifest.Sha256, entry.Manifest.Preprocessing, entry.Manifest)
        {
            Backbone = isOpen
                ? Backbone.Open(file, new PhotoSize(entry.Manifest.Preprocessing.OutputHeight, entry.Manifest.Preprocessing.OutputWidth))
                : null,
        };
    }

    private ResolvedModel ResolveFile(string file, int inputSize)
    {
        // A manifest beside the file is checked before the graph is read, since a damaged file fails there with a worse message.
        var sidecar = File.Exists(file) ? Sidecar(Path.GetFullPath(file)) : null;
        var backbone = Backbone.Open(file, inputSize);
        if ((sidecar ?? BySha256(backbone)) is { } manifest)
            return new(manifest.Name, backbone.File, backbone.Sha256, manifest.Preprocessing, manifest)
            {
                Backbone = backbone,
                IsByHash = sidecar is null,
            };
        var assumed = AssumedPreprocessing.Of(backbone);
        return new(Path.GetFileNameWithoutExtension(file), backbone.File, backbone.Sha256, assumed.Preprocessing, null)
        {
            Backbone = backbone,
            Assumed = assumed.Source,
            Question = assumed.Question,
        };
    }

    /// <summary>The output that is the feature of an encoder; empty for a classifier, and where the user must choose.</summary>
    private static string FeatureOf(Backbone backbone)
    {
        try
        {
            return backbone.HasClassifier ? "" : backbone.Explicit(CutRequest.Default).Cut;
        }
        catch (UsageException)
        {
            return "";
        }
    }

    /// <summary>The manifest beside a model, MODEL.yaml or MODEL.onnx.yaml; it must be this file's.</summary>
    private static ModelManifest? Sidecar(string file)
    {
        string[] candidates = [Path.ChangeExtension(file, ".yaml"), file + ".yaml"];
        if (candidates.FirstOrDefault(File.Exists) is not { } sidecar)
            return null;
        var manifest = ManifestYaml.Read(sidecar);
        Check(manifest, file);
        return manifest;
    }

    /// <exception cref="UsageException">Several names stand for these bytes with different vectors.</exception>
    private ModelManifest? BySha256(Backbone backbone)
    {
        // Only manifests that hold the hash are parsed: reading YAML takes longer than looking for 64 characters.
        ModelManifest[] found =
        [
            .. _folders
                .Where(Directory.Exists)
                .SelectMany(f => Directory.EnumerateFiles(f, "*.yaml").Order(StringComparer.Ordinal))
                .Where(f => InputFile.Read(f, () => File.ReadAllText(f)).Contains(backbone.Sha256, StringComparison.Ordinal))
                .Select(ManifestYaml.Read)
                .Where(m => m.Sha256 == backbone.Sha256)
                .Reverse()
                // The user's manifest hides a built-in one of the same name.
                .DistinctBy(m => m.Name)
                .Reverse(),
        ];
        if (found.DistinctBy(m => (AssumedPreprocessing.Describe(m.Preprocessing), m.Cut)).Skip(1).Any())
            Throw.Usage(
                $"{Path.GetFileName(backbone.File)}: several models of the store are this file, with different preprocessing or cuts: "
                    + $"{string.Join(", ", found.Select(m => $"'{m.Name}'"))}; give one of these names"
            );
        return found.FirstOrDefault();
    }

    private ModelEntry Find(string name)
    {
        foreach (var folder in _folders.Reverse())
        {
            var file = Path.Combine(folder, name + ".yaml");
            if (!File.Exists(file))
                continue;
            var manifest = ManifestYaml.Read(file);
            if (manifest.Name != name)
                Throw.BadInput($"{file}: is named '{manifest.Name}' inside; expected '{name}', as the file's name");
            return Entry(manifest, file);
        }

        throw new UsageException(
            $"no model '{name}'{NearestName.Hint(name, Names())} (models: {string.Join(", ", Names())}; a file is given by a path or "
                + $"a name that ends in .onnx)"
        );
    }

    private ModelEntry Entry(ModelManifest manifest, string manifestFile) =>
        new(manifest, _folders.Select(f => Path.Combine(f, manifest.File)).FirstOrDefault(File.Exists), manifestFile);

    private static void Check(ModelManifest manifest, string file)
    {
        var bytes = FileBytes.Length(file);
        // The length first: a file that was cut short is found without hashing it.
        if (bytes != manifest.Bytes)
            Throw.BadInput($"{file}: {bytes} bytes, but '{manifest.Name}' has {manifest.Bytes}; delete it and pull it again");
        var sha256 = OnnxFile.HashFile(file);
        if (sha256 != manifest.Sha256)
            Throw.BadInput($"{file}: its SHA-256 is {sha256}, but '{manifest.Name}' has {manifest.Sha256}; delete it and pull it again");
    }

    private string HowToGet(ModelManifest manifest) =>
        (
            manifest.Sources.Count > 0
                ? FormattableString.Invariant($"'transfer models pull {manifest.Name}' downloads {manifest.Bytes / 1e6:0.0} MB, or ")
                : ""
        ) + ByHand(manifest);

    /// <summary>How a model that is not here gets here, in a few words: by a command, or by hand.</summary>
    public string WhereFrom(ModelManifest manifest) =>
        manifest.Sources.Count > 0
            ? "transfer models pull " + manifest.Name
            : $"no public address; put it at {Path.Combine(UserFolder, manifest.File)}";

    /// <summary>What to do without a network.</summary>
    private string ByHand(ModelManifest manifest) =>
        $"put the file (SHA-256 {manifest.Sha256}) at {Path.Combine(UserFolder, manifest.File)}";
}
