using System.Globalization;
using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>Which columns of a Hugging Face Parquet file are photo and label, and what the labels are called.</summary>
internal sealed record HuggingFaceColumns(string Image, string Label, IReadOnlyList<string>? Names)
{
    private static readonly string[] LabelNames = ["label", "labels", "fine_label", "class", "breed", "category", "target"];

    /// <summary>From the features in the file's metadata (type Image, type ClassLabel), else from names and types of the columns.</summary>
    public static HuggingFaceColumns Of(string file, ParquetDescription description, DatasetOptions options)
    {
        var features = Features(file, description);
        var images = description.Columns.Where(c => c.Name.EndsWith(".bytes", StringComparison.Ordinal) && c.Type == ColumnType.Binary)
            .Select(c => c.Name[..^".bytes".Length])
            .Where(name => description.Columns.Any(c => c.Name == name + ".path")).ToList();
        var image = images.Find(name => TypeOf(features, name) == "Image") ?? images.FirstOrDefault()
            ?? throw new BadInputException(
                $"{file} has no image column (it has {string.Join(", ", description.Columns.Select(c => c.Name))}); expected a struct of 'bytes' and 'path' as Hugging Face's datasets library writes it");

        var plain = description.Columns.Where(c => !c.Name.Contains('.')).Select(c => c.Name).ToList();
        var label = options.LabelColumn;
        if (label is not null && !plain.Contains(label))
            throw new UsageException($"{file} has no column '{label}'{NearestName.Hint(label, plain)}");
        label ??= plain.Where(name => TypeOf(features, name) == "ClassLabel").OrderBy(PlaceOf).FirstOrDefault()
            ?? plain.Where(name => LabelNames.Contains(name)).OrderBy(PlaceOf).FirstOrDefault()
            ?? throw new BadInputException(
                $"{file} has no label column (it has {string.Join(", ", plain)}); expected a ClassLabel, or name the column");
        return new HuggingFaceColumns(image, label, NamesOf(features, label));
    }

    /// <returns>The class name for a label as the file holds it, or null when it stands for none (-1 marks hidden labels).</returns>
    public string? LabelOf(string? value)
    {
        if (string.IsNullOrEmpty(value))
            return null;
        if (Names is null)
            return value;
        return int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var index) && index >= 0 && index < Names.Count ? Names[index] : null;
    }

    private static int PlaceOf(string name) => Array.IndexOf(LabelNames, name) is >= 0 and var place ? place : LabelNames.Length;

    private static JsonElement? Features(string file, ParquetDescription description)
    {
        if (!description.Metadata.TryGetValue("huggingface", out var json))
            return null;
        try
        {
            var root = JsonDocument.Parse(json).RootElement;
            return Member(Member(root, "info"), "features");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{file}: the metadata under 'huggingface' is not JSON ({e.Message}); write the file again with the datasets library", e);
        }
    }

    private static string? TypeOf(JsonElement? features, string column) =>
        Member(Member(features, column), "_type") is { ValueKind: JsonValueKind.String } type ? type.GetString() : null;

    private static List<string>? NamesOf(JsonElement? features, string column) =>
        Member(Member(features, column), "names") is { ValueKind: JsonValueKind.Array } names
            ? [.. names.EnumerateArray().Select(name => name.ValueKind == JsonValueKind.String ? name.GetString()! : name.GetRawText())]
            : null;

    private static JsonElement? Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var member) ? member : null;
}
