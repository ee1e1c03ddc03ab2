using System.Text.Json;
using System.Text.Json.Serialization;
using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>
/// Content of a feature set's <c>manifest.json</c>. It alone states what is committed: a file that it does not name does not belong to the
/// set.
/// </summary>
internal sealed record FeatureManifest
{
    public const string FileName = SetsAmongPhotos.Manifest;

    /// <summary>The version of the folder's layout that this program writes, and the newest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Of one file; a limit that lets the bytes of all parts be summed.</summary>
    private const long MostBytes = 1L << 48;

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Name and version of the program that wrote it last.</summary>
    public string Program { get; init; } = "";

    /// <summary>False while an extraction is under way or after it was interrupted.</summary>
    public bool Complete { get; init; }

    /// <summary>The photos' folder or file as it was given.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>How the photos are found there, where the path alone does not suffice.</summary>
    public DatasetOptions? DatasetOptions { get; init; }

    /// <summary><c>i/n</c> when the set covers one shard of the dataset, else null.</summary>
    public string? Shard { get; init; }

    /// <summary>
    /// SHA-256 of the paths, labels and splits of all photos of the dataset, of which this is a shard; null when the set is no shard, and
    /// in shards of earlier programs.
    /// </summary>
    public string? ShardOf { get; init; }

    public required Recipe Recipe { get; init; }

    /// <summary>
    /// The libraries that decoded the photos, one entry for each that differs, in the order of the runs; null when not recorded.
    /// </summary>
    public IReadOnlyList<string>? DecodedBy { get; init; }

    /// <summary>Length D of every vector.</summary>
    public required int Dimension { get; init; }

    /// <summary>Class names in ordinal order.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    public IReadOnlyList<FeaturePart> Parts { get; init; } = [];

    /// <summary>Number of the next part file; numbers are never used twice.</summary>
    public int NextPart { get; init; }

    /// <summary>The list of photos that could not be used, or null when there are none.</summary>
    public FeatureFile? Failed { get; init; }

    /// <summary>Limits under which photos failed; under other limits, or by another version, they are tried again.</summary>
    public long MaxBytes { get; init; }

    public long MaxPixels { get; init; }

    public ExtractionCost Cost { get; init; } = new();

    [JsonIgnore]
    public long Rows => Parts.Sum(p => (long)p.Rows);

    /// <summary>What JSON does not name is null, whatever a property's default.</summary>
    private bool IsWhole =>
        this
            is {
                Recipe:
                { ModelSha256: not null, Decoder: not null, Preprocessing: { Divisor: not 0 } or { Mean: not null, Std: not null } },
                Classes: not null,
                Cost: not null,
                Parts: not null,
                Failed: null or { File: not null, Sha256: not null }
            }
        && Parts.All(p => p is { File: not null, Sha256: not null, Order: not null })
        && Classes.All(c => c is not null);

    /// <summary>The first value that no extraction writes; null when all make sense.</summary>
    private string? Contradiction
    {
        get
        {
            if (Dimension < 1)
                return $"its vectors have {Dimension} values, expected at least 1";
            if (Shard is { } shard && !Features.Shard.TryParse(shard, out _))
                return $"its shard is '{shard}', expected a form such as 2/8";
            if (Classes.GroupBy(c => c, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
                return $"class '{twice.Key}' is listed twice";
            if (Parts.Append(Failed).FirstOrDefault(p => p is { Rows: < 0 } or { Bytes: < 0 or > MostBytes }) is { } odd)
                return $"{odd.File} has {odd.Rows} rows in {odd.Bytes} bytes, which no file has";
            if (Rows > Array.MaxLength)
                return $"its parts have {Rows} rows, expected at most {Array.MaxLength}";
            // A name with a folder in it would lead out of the set.
            if (
                Parts.Select(p => p.File).Append(Failed?.File ?? "-").FirstOrDefault(f => f.Length == 0 || f != Path.GetFileName(f)) is
                { } path
            )
                return $"it names the file '{path}', expected a name without folders";
            return Parts.GroupBy(p => p.File, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } same
                ? $"{same.Key} is listed twice"
                : null;
        }
    }

    internal string ToJson() => JsonSerializer.Serialize(this, FeatureManifestJson.Default.FeatureManifest) + "\n";

    /// <summary>Replaces the folder's manifest in one step.</summary>
    internal void Write(string folder) => DurableFile.WriteText(Path.Combine(folder, FileName), ToJson());

    /// <summary>Reads a folder's manifest; null when the folder has none.</summary>
    /// <exception cref="BadInputException">It is damaged or from a newer version.</exception>
    internal static FeatureManifest? Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            return null;
        try
        {
            // The format comes first: a newer manifest may lack what the serializer requires, and is not a damaged one.
            var bytes = InputFile.Json(file);
            string? libraries = null;
            using (var document = JsonDocument.Parse(bytes))
            {
                if (
                    document.RootElement.ValueKind != JsonValueKind.Object
                    || !document.RootElement.TryGetProperty("format", out var format)
                    || format.ValueKind != JsonValueKind.Number
                    || !format.TryGetInt32(out var version)
                )
                    throw new BadInputException($"{file} is not a feature set's manifest: it has no format number");
                if (version is > CurrentFormat or < 1)
                    throw new BadInputException(
                        $"{file} has format {version}, this program reads up to {CurrentFormat}: update the program, or extract again "
                            + $"into another folder"
                    );
                libraries = Libraries(document.RootElement);
            }

            var manifest =
                JsonSerializer.Deserialize(bytes.Span, FeatureManifestJson.Default.FeatureManifest)
                ?? throw new BadInputException($"{file} is empty");
            if (libraries is not null && manifest.DecodedBy is null)
                manifest = manifest with { DecodedBy = [libraries] };
            if (!manifest.IsWhole)
                throw new BadInputException(
                    $"{file} is damaged: its parts, classes, cost or recipe are missing: delete the folder and extract again"
                );
            return manifest.Contradiction is { } problem
                ? throw new BadInputException($"{file} is damaged: {problem}; delete the folder and extract again")
                : manifest;
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{file} is damaged ({e.Message}): delete the folder and extract again", e);
        }
    }

    /// <summary>Earlier programs wrote the libraries into the recipe.</summary>
    private static string? Libraries(JsonElement manifest) =>
        manifest.TryGetProperty("recipe", out var recipe)
        && recipe.ValueKind == JsonValueKind.Object
        && recipe.TryGetProperty("decoder", out var decoder)
        && decoder.ValueKind == JsonValueKind.String
        && decoder.GetString() is { } text
        && Recipe.NamesLibraries(text)
            ? text
            : null;
}

/// <summary>A file of the set with its length in bytes and lower-case hex SHA-256.</summary>
internal record FeatureFile(string File, int Rows, long Bytes, string Sha256);

/// <summary>One Parquet file of vectors.</summary>
/// <param name="Order">Where its rows, in file order, stand in the whole set: runs <c>first+count</c> of positions, separated by
/// commas.</param>
internal sealed record FeaturePart(string File, int Rows, long Bytes, string Sha256, string Order) : FeatureFile(File, Rows, Bytes, Sha256);

/// <summary>What the vectors cost, summed over all runs that computed some.</summary>
/// <param name="Photos">Vectors computed.</param>
/// <param name="Seconds">Wall time of those runs.</param>
/// <param name="DecodeSeconds">Of all workers, reading and hashing included.</param>
/// <param name="InferSeconds">Of all workers.</param>
internal sealed record ExtractionCost(
    long Photos = 0,
    double Seconds = 0,
    double DecodeSeconds = 0,
    double PreprocessSeconds = 0,
    double InferSeconds = 0,
    int Workers = 0,
    string Device = ""
);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(FeatureManifest))]
internal sealed partial class FeatureManifestJson : JsonSerializerContext;
