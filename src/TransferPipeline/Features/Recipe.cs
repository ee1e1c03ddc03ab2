using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using TransferPipeline.Backbones;
using TransferPipeline.Images;

namespace TransferPipeline.Features;

/// <summary>All that determines a vector; two sets whose recipes have no difference can be mixed, and no others.</summary>
public sealed partial record Recipe
{
    /// <summary>The backbone's name, for people; two files of one name differ in <see cref="ModelSha256"/>.</summary>
    public required string Model { get; init; }

    /// <summary>Lower-case hex SHA-256 of the backbone's file.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>Where the backbone is stopped: <c>penultimate</c>, <c>features</c>, or a tensor or node.</summary>
    public required string Cut { get; init; }

    /// <summary>What makes a vector of the tensor there, as <see cref="Pooling"/> writes it.</summary>
    public required string Pooling { get; init; }

    /// <summary>From the photo's pixels to the backbone's input.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>The pixels that the decoder gives, with a version, such as <c>pillow 1</c>: its <see cref="IImageDecoder.Name"/>.</summary>
    public required string Decoder
    {
        get;
        // Recipes of older sets name libraries; converted here, they compare
        // equal, also when the serializer sets the field.
        init => field = PixelsOf(value);
    }

    /// <summary>Whether photos were turned as their EXIF orientation states.</summary>
    public bool ExifTranspose { get; init; }

    /// <summary>Augmented copies of each training photo besides the photo itself.</summary>
    public int Views { get; init; }

    /// <summary>The augmentations of those copies in words, with their parameters and seed; <c>none</c> without views.</summary>
    public string Augmentation { get; init; } = "none";

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>tensorrt</c>.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary><c>fp32</c>, <c>tf32</c> or <c>fp16</c>.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Version of what this program does with all of the above; raised when a vector would change.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The fields as text, in a fixed order: what is compared, hashed and shown.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields()
    {
        var p = Preprocessing;
        var resize =
            p.ResizeShortSide > 0 ? Text(p.ResizeShortSide)
            : p.ResizeWidth > 0 ? $"{Text(p.ResizeHeight)}x{Text(p.ResizeWidth)}"
            : "none";
        // Hash covers these texts in this order: a change of either would give every set another name beside it.
        return
        [
            new("model", Model),
            new("model_sha256", ModelSha256),
            new("cut", Cut),
            new("pooling", Pooling),
            new("resize", resize),
            new("interpolation", p.Interpolation.ToString().ToLowerInvariant()),
            // Added only where it holds, so that all other recipes keep their hash.
            new("crop", p.CropHeight > 0 ? $"{Text(p.CropHeight)}x{Text(p.CropWidth)}{(p.CropRoundsDown ? " rounded down" : "")}" : "none"),
            new("normalization", Normalization(p)),
            new("channels", p.Bgr ? "bgr" : "rgb"),
            new("exif_transpose", ExifTranspose ? "yes" : "no"),
            new("decoder", Decoder),
            new("views", Text(Views)),
            new("augmentation", Augmentation),
            new("provider", Provider),
            new("precision", Precision),
            new("version", Text(Version)),
        ];
    }

    /// <summary>
    /// What differs from <paramref name="other"/>; empty when vectors of both can be mixed. The model's name alone is no difference.
    /// </summary>
    internal IReadOnlyList<RecipeDifference> Differences(Recipe other)
    {
        var differences = new List<RecipeDifference>();
        foreach (var ((name, here), (_, there)) in Fields().Zip(other.Fields()))
        {
            if (here != there && (name != "model" || ModelSha256 != other.ModelSha256))
                differences.Add(new(name, here, there));
        }

        return differences;
    }

    /// <summary>Lower-case hex SHA-256 of all fields but the model's name; names the folder of a set that is made beside another.</summary>
    public string Hash()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in Fields().Skip(1))
            text.Append(name).Append('=').Append(value).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Whether sets of the two recipes can be mixed.</summary>
    public bool Equals(Recipe? other) => other is not null && Model == other.Model && Differences(other).Count == 0;

    /// <summary>Of the backbone alone.</summary>
    public override int GetHashCode() => ModelSha256.GetHashCode(StringComparison.Ordinal);

    /// <summary>
    /// The decoder's field of a recipe as it is written today: earlier programs wrote the libraries, and libvips and libjpeg-turbo gave
    /// Pillow's pixels then as now.
    /// </summary>
    internal static string PixelsOf(string decoder) => NamesLibraries(decoder) ? PhotoDecoder.PillowContract : decoder;

    /// <summary>A decoder's field that an earlier program wrote: libraries of Pillow's pixels.</summary>
    internal static bool NamesLibraries(string? decoder) => decoder is not null && PillowLibraries().IsMatch(decoder);

    [GeneratedRegex(@"^(libjpeg-turbo \d+(\.\d+)*, )?libvips \d+(\.\d+)*$")]
    private static partial Regex PillowLibraries();

    private static string Normalization(Preprocessing p) =>
        p.Divisor != 0 ? $"(x - {Text(p.Offset)}) / {Text(p.Divisor)}" : $"(x / 255 - [{Text(p.Mean)}]) / [{Text(p.Std)}]";

    private static string Text(IReadOnlyList<double> values) => string.Join(", ", values.Select(Text));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One field in which two recipes differ.</summary>
internal sealed record RecipeDifference(string Field, string Old, string New)
{
    public override string ToString() => $"{Field} was {Old}, is {New}";
}
