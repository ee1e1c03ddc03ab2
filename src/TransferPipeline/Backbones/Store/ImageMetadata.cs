using System.Globalization;

namespace TransferPipeline.Backbones.Store;

/// <summary>ONNX's metadata for images, as converters of Core ML's networks and Azure Custom Vision write it.</summary>
internal static class ImageMetadata
{
    private const string Mean = "CustomVision.Preprocess.NormalizeMean";
    private const string Deviation = "CustomVision.Preprocess.NormalizeStd";

    /// <param name="value">The text of a key; null where there is none.</param>
    /// <param name="input">Size of the model's photos, pixels.</param>
    /// <returns>Null when neither a range nor an order of channels is stated.</returns>
    public static StatedPreprocessing? Read(Func<string, string?> value, (int Height, int Width) input, string source)
    {
        var (range, format) = (value("Image.NominalPixelRange") ?? "", value("Image.BitmapPixelFormat") ?? "");
        if (range.Length == 0 && format.Length == 0)
            return null;
        var values = PreprocessingNames.Find("torchvision", input.Height, input.Width) with
        {
            Bgr = format.StartsWith("Bgr", StringComparison.OrdinalIgnoreCase),
        };
        var stated = range switch
        {
            // The range that the standard means where none is stated.
            "" or "NominalRange_0_255" => values with { Offset = 0, Divisor = 1 },
            "Normalized_0_1" => values with { Offset = 0, Divisor = 255 },
            "Normalized_1_1" => values with { Offset = 127.5, Divisor = 127.5 },
            _ => values,
        };
        // Which unit its means are of is not documented.
        var problem =
            stated.Divisor == 0 ? $"has the pixel range {range}"
            : !IsAll(value(Mean), 0) ? $"has {Mean} {value(Mean)}"
            : !IsAll(value(Deviation), 1) ? $"has {Deviation} {value(Deviation)}"
            : null;
        return new(stated, source, problem);
    }

    private static bool IsAll(string? list, double number) =>
        list is null
        || list.Trim('[', ']', ' ')
            .Split(',', StringSplitOptions.TrimEntries)
            .All(text => double.TryParse(text, CultureInfo.InvariantCulture, out var value) && value == number);
}
