using System.Globalization;
using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>Which columns of a Hugging Face Parquet file are photo and label, and what the labels are called.</summary>
/// <param name="IsText">Whether labels are texts: then they may be the names themselves.</param>
/// <param name="Images">All columns that may hold the photos, that of the photos first.</param>
/// <param name="Labels">All columns that may hold the labels, that of the labels first.</param>
/// <param name="HasOwnNames">Whether the file itself states the names.</param>
internal sealed record HuggingFaceColumns(
    string Image,
    string Label,
    IReadOnlyList<string>? Names,
    bool IsText,
    IReadOnlyList<string> Images,
    IReadOnlyList<string> Labels,
    bool HasOwnNames
)
{
    private static readonly string[] LabelNames =
    [
        "label",
        "labels",
        "fine_label",
        "class",
        "breed",
        "category",
        "target",
        "cls",
        "class_name",
        "label_name",
        "label_text",
        "species",
        "coarse_label",
    ];

    private static readonly string[] ImageNames = ["image", "img", "photo", "picture", "bytes", "content", "image_bytes", "data"];

    /// <summary>From the features in the file's metadata (type Image, type ClassLabel), else from names and types of the columns.</summary>
    /// <param name="stated">What the repository states, for files that hold numbers without names.</param>
    public static HuggingFaceColumns Of(string file, ParquetDescription description, DatasetOptions options, RepositoryInfo? stated = null)
    {
        var features = Features(file, description);
        const string Bytes = ".bytes";
        // A struct of bytes and path, or columns of such names; else a plain column of bytes, as other programs write photos.
        var structs = description
            .Columns.Where(c => c.Name.EndsWith(Bytes, StringComparison.Ordinal) && c.Type == ColumnType.Binary)
            .Select(c => c.Name[..^Bytes.Length])
            .ToList();
        var images = structs.Where(name => description.Columns.Any(c => c.Name == name + ".path")).Concat(structs).ToList();
        var plainBytes = description
            .Columns.Where(c => c.Type == ColumnType.Binary && !c.Name.Contains('.', StringComparison.Ordinal))
            .Select(c => c.Name)
            .ToList();
        // What the library's own features state comes before names, and names before the only column of bytes.
        var image =
            images.Find(name => TypeOf(features, name) == "Image")
            ?? images.FirstOrDefault()
            ?? plainBytes.Find(name => TypeOf(features, name) == "Image")
            ?? plainBytes.Find(name => ImageNames.Contains(name))
            ?? (plainBytes.Count == 1 ? plainBytes[0] : null)
            ?? throw new BadInputException(
                $"{file} has no image column (it has {string.Join(", ", description.Columns.Select(c => c.Name))}); expected a struct "
                    + $"of 'bytes' and 'path' as Hugging Face's datasets library writes it, or a column of bytes"
            );

        var plain = description.Columns.Where(c => !c.Name.Contains('.')).Select(c => c.Name).ToList();
        var label = options.LabelColumn;
        if (label is not null && !plain.Contains(label))
            throw new UsageException($"{file} has no column '{label}'{NearestName.Hint(label, plain)}") { MissingColumn = label };
        // Of CIFAR-100's two ClassLabels, fine_label is in the list of names and so comes before coarse_label.
        List<string> labels = label is not null
            ? [label]
            :
            [
                .. plain.Where(name => TypeOf(features, name) == "ClassLabel").OrderBy(PlaceOf),
                .. plain.Where(name => LabelNames.Contains(name) && TypeOf(features, name) != "ClassLabel").OrderBy(PlaceOf),
            ];
        label =
            labels.FirstOrDefault()
            ?? throw new BadInputException(
                $"{file} has no label column (it has {string.Join(", ", description.Columns.Select(c => c.Name))}); expected a ClassLabel, "
                    + "or name the column"
            );
        var isText = description.Columns.Any(c => c.Name == label && c.Type is (ColumnType.Text or ColumnType.Binary));
        var own = NamesOf(features, label);
        var names = own ?? (isText ? null : stated?.NamesOf(label));
        return new HuggingFaceColumns(
            image,
            label,
            RequireDifferent(own is null && names is not null ? stated!.File : file, label, names),
            isText,
            [
                image,
                .. images
                    .Concat(plainBytes.Where(name => TypeOf(features, name) == "Image" || (features is null && name != label)))
                    .Distinct()
                    .Where(name => name != image),
            ],
            labels,
            own is not null
        );
    }

    /// <param name="value">As the file holds it: a class index, also as a floating-point number, or a class name.</param>
    /// <param name="reason">Why there is none.</param>
    /// <returns>The class name, or null when the value stands for none (-1 marks hidden labels).</returns>
    public string? LabelOf(string? value, out string reason)
    {
        reason = "the row has no label";
        // Not a number is how floating-point columns of pandas hold what is missing.
        if (string.IsNullOrEmpty(value) || (!IsText && value == "NaN"))
            return null;
        // In a column of numbers 7 is an index, even where a class is called 7; only a text may be the name itself.
        if (Names is null || (IsText && Names.Contains(value)))
            return value;
        if (!int.TryParse(WholeNumber.Of(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            reason = $"label '{value}' is none of the {Names.Count} names";
        else if (index >= 0 && index < Names.Count)
            return Names[index];
        else if (index != -1)
            reason = $"label {index} has no name, there are {Names.Count} names";
        return null;
    }

    /// <summary>Two numbers of one name would become one class; an empty name is that of a number without one.</summary>
    private static IReadOnlyList<string>? RequireDifferent(string file, string label, IReadOnlyList<string>? names) =>
        names?.ToList().FindIndex(string.IsNullOrWhiteSpace) is >= 0 and var empty
            ? throw new BadInputException(
                $"{file}: column '{label}': the name of label {empty} is empty; write the file again with a name for each label"
            )
        : names?.Index().GroupBy(n => n.Item).FirstOrDefault(g => g.Count() > 1) is { } same
            ? throw new BadInputException(
                $"{file}: column '{label}': the name '{same.Key}' stands for several classes "
                    + $"({string.Join(" and ", same.Select(n => n.Index))}); they would become one: write the file again with "
                    + $"different names"
            )
        : names;

    private static int PlaceOf(string name) => Array.IndexOf(LabelNames, name) is >= 0 and var place ? place : LabelNames.Length;

    private static JsonElement? Features(string file, ParquetDescription description)
    {
        // The datasets library stores its features as JSON under this key of the Parquet metadata.
        if (!description.Metadata.TryGetValue("huggingface", out var json))
            return null;
        try
        {
            // Not disposed of: the elements that are returned point into the document.
            var root = JsonDocument.Parse(json).RootElement;
            RequireTexts(root);
            return Member(Member(root, "info"), "features");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadInputException(
                $"{file}: the metadata under 'huggingface' is not JSON ({e.Message}); write the file again with the datasets library",
                e
            );
        }
    }

    /// <summary>JSON's grammar allows half a character (\uD800), at which System.Text.Json throws when the text is taken.</summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    private static void RequireTexts(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
            _ = element.GetString();
        foreach (var member in element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : default)
        {
            _ = member.Name;
            RequireTexts(member.Value);
        }

        foreach (var item in element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : default)
            RequireTexts(item);
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
