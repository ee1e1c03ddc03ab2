using System.Text.Json;
using System.Text.Json.Serialization;
using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Classifiers;

/// <summary>What a classifier.onnx states about itself in its metadata: enough to predict with it and to make it again.</summary>
internal sealed record ClassifierInfo
{
    /// <summary>Class names; a label's index is its column of probabilities.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>From a decoded photo to the input tensor.</summary>
    public required Preprocessing Preprocessing { get; init; }

    public required TensorLayout Layout { get; init; }

    public required int InputHeight { get; init; }

    public required int InputWidth { get; init; }

    /// <summary>Largest batch that the backbone takes; <see cref="NoLimit"/> without one.</summary>
    public int MaxBatch { get; init; } = NoLimit;

    /// <summary>True when photos are turned as their EXIF orientation states before they are resized.</summary>
    public bool ExifTranspose { get; init; }

    /// <summary>The trainer's name, such as <c>softmax</c>.</summary>
    public required string Head { get; init; }

    /// <summary>The head's settings, defaults included.</summary>
    public required IReadOnlyDictionary<string, string> HeadSettings { get; init; }

    /// <summary>The feature set's recipe as names and values: model and its SHA-256, cut, pooling, decoder.</summary>
    public required IReadOnlyDictionary<string, string> Recipe { get; init; }

    /// <summary>Name and version of the program that wrote it.</summary>
    public string Program { get; init; } = AssemblyVersion.Program;

    /// <summary>Version of this metadata; a reader refuses a newer one.</summary>
    public int Format { get; init; } = CurrentFormat;

    internal const int CurrentFormat = 2;

    /// <summary>What files of both formats hold for a backbone that takes any batch.</summary>
    internal const int NoLimit = int.MaxValue;

    /// <summary>Of a side of the input; buffers for more would not have one array.</summary>
    private const int MostPixels = 8192;

    /// <summary>The first format, whose names are in PascalCase.</summary>
    private const int PascalCaseFormat = 1;

    private const string LabelsKey = "labels";
    private const string InfoKey = "transfer.classifier";

    /// <summary>Of a head on vectors of a recipe.</summary>
    /// <param name="cut">The backbone, cut as the recipe states.</param>
    internal static ClassifierInfo Of(CutModel cut, IHead head, IReadOnlyList<string> labels, Recipe recipe) =>
        new()
        {
            Labels = labels,
            Preprocessing = recipe.Preprocessing,
            Layout = cut.Layout,
            InputHeight = cut.InputHeight,
            InputWidth = cut.InputWidth,
            MaxBatch = cut.MaxBatch ?? NoLimit,
            ExifTranspose = recipe.ExifTranspose,
            Head = head.Name,
            HeadSettings = head.Options.Values,
            Recipe = recipe.Fields().ToDictionary(f => f.Key, f => f.Value),
        };

    /// <summary>Labels have a key of their own, as a JSON array, for programs that know nothing of this one.</summary>
    internal void WriteTo(ModelProto model)
    {
        // What a backbone states of itself, such as class names of its own, does not hold for the classifier.
        model.MetadataProps.Clear();
        model.MetadataProps.Add(
            new StringStringEntryProto
            {
                Key = LabelsKey,
                Value = JsonSerializer.Serialize(Labels, ClassifierJson.Default.IReadOnlyListString),
            }
        );
        model.MetadataProps.Add(
            new StringStringEntryProto { Key = InfoKey, Value = JsonSerializer.Serialize(this, ClassifierJson.Default.ClassifierInfo) }
        );
    }

    /// <exception cref="BadInputException">The model's metadata are not those of a classifier of ours.</exception>
    internal static ClassifierInfo ReadFrom(string file, ModelProto model)
    {
        var text = model.MetadataProps.FirstOrDefault(p => p.Key == InfoKey)?.Value;
        if (text is null)
            throw new BadInputException(
                $"{file}: an ONNX model, but without the labels and preprocessing that 'transfer train' and 'transfer export' write "
                    + $"into a classifier: a backbone by itself predicts none of your classes"
            );
        try
        {
            using var document = JsonDocument.Parse(text);
            // The number is looked for under both spellings, since it decides which of them the other names have.
            var format = document.RootElement.TryGetProperty("Format", out var number)
                ? number.GetInt32()
                : document.RootElement.GetProperty("format").GetInt32();
            // Before the rest is read, which in a newer format may have other types and names.
            if (format > CurrentFormat)
                Throw.BadInput(
                    $"{file}: written by a newer version (format {format}; this program reads up to {CurrentFormat}); update the program"
                );
            var info = JsonSerializer.Deserialize(
                text,
                format == PascalCaseFormat ? PascalCaseJson.Default.ClassifierInfo : ClassifierJson.Default.ClassifierInfo
            )!;
            if (info.Labels.Count < 2)
                Throw.BadInput($"{file}: its metadata name {info.Labels.Count} classes; expected two or more");
            // The serializer's check of nulls covers properties, not the elements of lists.
            if (info.Labels.Contains(null!))
                throw new JsonException("the name of a class is null");
            if (info is not { InputHeight: > 0 and <= MostPixels, InputWidth: > 0 and <= MostPixels, MaxBatch: > 0 })
                throw new JsonException($"an input of {info.InputHeight} x {info.InputWidth} pixels in batches of {info.MaxBatch}");
            // Lists that are left out are null in spite of their defaults.
            if (info.Preprocessing is { Mean: null } or { Std: null })
                throw new JsonException("preprocessing without means and deviations");
            var photos = new Preprocessor(info.Preprocessing);
            if (photos.OutputHeight != info.InputHeight || photos.OutputWidth != info.InputWidth)
                throw new JsonException(
                    $"photos of {photos.OutputHeight} x {photos.OutputWidth} pixels for an input of {info.InputHeight} x {info.InputWidth}"
                );
            if (info.Labels.GroupBy(l => l).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new JsonException($"the class '{twice.Key}' twice");
            return info;
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or UsageException)
        {
            throw new BadInputException($"{file}: its metadata '{InfoKey}' are damaged ({e.OneLine()}); export it again", e);
        }
    }
}

/// <summary>Serializers made at build time: the command starts faster without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true
)]
[JsonSerializable(typeof(ClassifierInfo))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class ClassifierJson : JsonSerializerContext;

/// <summary>Reads metadata of the first format.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ClassifierInfo))]
internal sealed partial class PascalCaseJson : JsonSerializerContext;
