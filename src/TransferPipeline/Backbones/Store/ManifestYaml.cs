using System.Globalization;
using System.Text;
using TransferPipeline.Images;
using TransferPipeline.Platform;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Backbones.Store;

/// <summary>Reads and writes manifests; every key is known, and what is wrong is reported with its line.</summary>
internal sealed class ManifestYaml
{
    private readonly string _file;

    private ManifestYaml(string file) => _file = file;

    /// <exception cref="BadInputException">The file is not a manifest.</exception>
    public static ModelManifest Read(string file) => Parse(file, new StreamReader(new MemoryStream(InputFile.Bytes(file))).ReadToEnd());

    public static ModelManifest Parse(string file, string text)
    {
        var stream = YamlText.Parse(
            text,
            (line, problem, e) => new BadInputException($"{file}{(line > 0 ? $":{line}" : "")}: not valid YAML: {problem}", e)
        );
        if (stream.Documents.Count != 1 || stream.Documents[0].RootNode is not YamlMappingNode root)
            throw new BadInputException(
                $"{file}: expected the manifest of one model (name, file, bytes, sha256, license, input, preprocessing)"
            );
        return new ManifestYaml(file).Manifest(root);
    }

    public static string Write(ModelManifest m)
    {
        var text = new StringBuilder();
        // YAML knows no decimal comma, whatever the locale.
        void Line(FormattableString line) => text.Append(FormattableString.Invariant(line)).Append('\n');
        Line($"name: {m.Name}");
        Line($"file: {Quote(m.File)}");
        Line($"bytes: {m.Bytes}");
        Line($"sha256: {m.Sha256}");
        Line($"license: {Quote(m.License)}");
        Line($"sources: [{string.Join(", ", m.Sources.Select(Quote))}]");
        Line($"input:");
        Line($"  size: {m.InputSize}");
        Line($"  layout: {m.Layout.ToString().ToLowerInvariant()}");
        var p = m.Preprocessing;
        Line($"preprocessing:");
        if (p.ResizeShortSide > 0)
            Line($"  resize: {p.ResizeShortSide}");
        else if (p.ResizeHeight > 0)
            Line($"  resize: [{p.ResizeHeight}, {p.ResizeWidth}]");
        Line($"  interpolation: {p.Interpolation.ToString().ToLowerInvariant()}");
        if (p.CropHeight > 0)
            Line($"  crop: [{p.CropHeight}, {p.CropWidth}]");
        if (p.CropRoundsDown)
            Line($"  crop-rounding: down");
        if (p.Divisor != 0)
        {
            // R writes the shortest text that reads back as the same double: a recipe must not change by a round trip.
            Line($"  offset: {p.Offset:R}");
            Line($"  divisor: {p.Divisor:R}");
        }
        else
        {
            Line($"  mean: [{Numbers(p.Mean)}]");
            Line($"  std: [{Numbers(p.Std)}]");
        }

        Line($"  bgr: {(p.Bgr ? "true" : "false")}");
        if (m.PreprocessingSource.Length > 0)
            Line($"preprocessing-source: {Quote(m.PreprocessingSource)}");
        if (m.Cut.Length > 0)
            Line($"cut: {Quote(m.Cut)}");
        if (m.Note.Length > 0)
            Line($"note: {Quote(m.Note)}");
        return text.ToString();
    }

    // In single quotes YAML knows one escape, the doubled quote.
    private static string Quote(string text) => "'" + text.ReplaceLineEndings(" ").Replace("'", "''", StringComparison.Ordinal) + "'";

    private static string Numbers(IEnumerable<double> values) =>
        string.Join(", ", values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));

    private ModelManifest Manifest(YamlMappingNode root)
    {
        var keys = Keys(
            root,
            "name",
            "file",
            "bytes",
            "sha256",
            "license",
            "sources",
            "input",
            "preprocessing",
            "preprocessing-source",
            "cut",
            "note"
        );
        var name = Text(Required(root, keys, "name"));
        // Feature sets and tuned files are named after it.
        if (FileNames.Problem(name) is { } problem)
            Fail(keys["name"], $"name is '{name}', expected a name that a file can have: {problem}");
        var file = Text(Required(root, keys, "file"));
        // The name is joined with the store's folder, which a path would lead out of.
        if (file != Path.GetFileName(file) || file.Length == 0)
            Fail(keys["file"], $"file is '{file}', expected a file name without folders");
        var sha256 = Text(Required(root, keys, "sha256"));
        // Hashes are compared as texts, so that only one spelling of a digit is accepted.
        if (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigitLower))
            Fail(keys["sha256"], $"sha256 is '{sha256}', expected 64 lower-case hexadecimal digits");
        var input = Keys(Map(root, keys, "input"), "size", "layout");
        var (size, preprocessing) = (Side(Required(root, input, "size")), ReadPreprocessing(Map(root, keys, "preprocessing")));
        if (preprocessing.OutputHeight != 0 && preprocessing.OutputHeight != size)
            Fail(
                keys["preprocessing"],
                $"the preprocessing makes photos of {preprocessing.OutputHeight} x {preprocessing.OutputWidth} pixels, but input.size is "
                    + $"{size}"
            );
        return new()
        {
            Name = name,
            File = file,
            Bytes = Whole(Required(root, keys, "bytes")),
            Sha256 = sha256,
            License = Text(Required(root, keys, "license")),
            Sources = keys.TryGetValue("sources", out var sources) ? [.. Items(sources).Select(Address)] : [],
            InputSize = size,
            Layout = input.TryGetValue("layout", out var layout) ? Word<TensorLayout>(layout) : TensorLayout.Nchw,
            Preprocessing = preprocessing,
            PreprocessingSource = keys.TryGetValue("preprocessing-source", out var evidence) ? Text(evidence) : "",
            Cut = keys.TryGetValue("cut", out var cut) ? Text(cut) : "",
            Note = keys.TryGetValue("note", out var note) ? Text(note) : "",
        };
    }

    private Preprocessing ReadPreprocessing(YamlMappingNode map)
    {
        var keys = Keys(map, "resize", "interpolation", "crop", "crop-rounding", "mean", "std", "offset", "divisor", "bgr");
        var result = new Preprocessing();
        if (keys.TryGetValue("resize", out var resize))
            result = Sides(resize) is [var height, var width]
                ? result with
                {
                    ResizeHeight = height,
                    ResizeWidth = width,
                }
                : result with
                {
                    ResizeShortSide = Side(resize),
                };
        if (keys.TryGetValue("crop", out var crop))
        {
            var sides = Sides(crop);
            result = result with { CropHeight = sides[0], CropWidth = sides[^1] };
        }

        if (keys.TryGetValue("crop-rounding", out var rounding))
        {
            if (Text(rounding) is not ("even" or "down"))
                Fail(rounding, $"crop-rounding is '{Text(rounding)}', expected even (torchvision's) or down (Hugging Face's)");
            result = result with { CropRoundsDown = Text(rounding) == "down" };
        }

        // ImageNet's numbers would take the place of what is missing, without a word: of half a form, or of both.
        if (
            keys.ContainsKey("divisor") != keys.ContainsKey("offset")
            || keys.ContainsKey("mean") != keys.ContainsKey("std")
            || keys.ContainsKey("divisor") == keys.ContainsKey("mean")
        )
            Fail(map, "expected either mean and std, or offset and divisor");
        if (keys.ContainsKey("resize") && !keys.ContainsKey("interpolation"))
            Fail(map, "'resize' without 'interpolation'; expected the filter of the resize too");
        return result with
        {
            Interpolation = keys.TryGetValue("interpolation", out var filter) ? Word<Interpolation>(filter) : result.Interpolation,
            Mean = keys.TryGetValue("mean", out var mean) ? Numbers(mean, 3, Number) : result.Mean,
            Std = keys.TryGetValue("std", out var std) ? Numbers(std, 3, Positive) : result.Std,
            Offset = keys.TryGetValue("offset", out var offset) ? Number(offset) : 0,
            Divisor = keys.TryGetValue("divisor", out var divisor) ? Positive(divisor) : 0,
            Bgr = keys.TryGetValue("bgr", out var bgr) && Flag(bgr),
        };
    }

    private Dictionary<string, YamlNode> Keys(YamlMappingNode map, params string[] known)
    {
        var keys = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Children)
        {
            var name = Text(key);
            // A misspelled key would leave a default in its place without a word.
            if (!known.Contains(name))
                Fail(key, $"unknown key '{name}'{NearestName.Hint(name, known)} (keys: {string.Join(", ", known)})");
            keys[name] = value;
        }

        return keys;
    }

    private YamlNode Required(YamlNode parent, Dictionary<string, YamlNode> keys, string key)
    {
        if (!keys.TryGetValue(key, out var node))
            Fail(parent, $"'{key}' is missing");
        return node!;
    }

    private YamlMappingNode Map(YamlNode parent, Dictionary<string, YamlNode> keys, string key)
    {
        var node = Required(parent, keys, key);
        if (node is not YamlMappingNode map)
        {
            Fail(node, $"'{key}' is not a mapping of keys to values");
            return [];
        }

        return map;
    }

    private IEnumerable<YamlNode> Items(YamlNode node)
    {
        if (node is not YamlSequenceNode list)
        {
            Fail(node, "expected a list");
            return [];
        }

        return list.Children;
    }

    private string Text(YamlNode node)
    {
        if (node is not YamlScalarNode { Value: { } value })
        {
            Fail(node, "expected one value");
            return "";
        }

        return value;
    }

    private string Address(YamlNode node)
    {
        var text = Text(node);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            Fail(node, $"'{text}' is not an http or https address");
        return text;
    }

    private long Whole(YamlNode node)
    {
        if (!long.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value <= 0)
            Fail(node, $"'{Text(node)}' is not a whole number greater than 0");
        return value;
    }

    private double Number(YamlNode node)
    {
        if (!double.TryParse(Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            Fail(node, $"'{Text(node)}' is not a number");
        return value;
    }

    private double Positive(YamlNode node)
    {
        var value = Number(node);
        if (value <= 0)
            Fail(node, $"'{Text(node)}' is not a number greater than 0");
        return value;
    }

    private int Side(YamlNode node)
    {
        var value = Number(node);
        if (value is not (>= 1 and <= Preprocessing.MostPixels) || value != Math.Floor(value))
            Fail(node, $"'{Text(node)}' is not a side in pixels: expected a whole number from 1 to {Preprocessing.MostPixels}");
        return (int)value;
    }

    /// <summary>One side, or height and width.</summary>
    private int[] Sides(YamlNode node)
    {
        int[] sides = node is YamlSequenceNode ? [.. Items(node).Select(Side)] : [Side(node)];
        if (node is YamlSequenceNode && sides.Length != 2)
            Fail(node, $"{sides.Length} sides, expected one number, or height and width in brackets");
        return sides;
    }

    /// <summary>YAML 1.2 has no other words; one that was taken for false would exchange red and blue.</summary>
    private bool Flag(YamlNode node)
    {
        if (Text(node) is not ("true" or "false"))
            Fail(node, $"'{Text(node)}' is neither true nor false");
        return Text(node) == "true";
    }

    private double[] Numbers(YamlNode node, int count, Func<YamlNode, double> read)
    {
        var numbers = Items(node).Select(read).ToArray();
        if (numbers.Length != count)
            Fail(node, $"{numbers.Length} numbers, expected {count}");
        return numbers;
    }

    private T Word<T>(YamlNode node)
        where T : struct, Enum
    {
        var names = Enum.GetNames<T>().Select(n => n.ToLowerInvariant()).ToArray();
        var index = Array.IndexOf(names, Text(node));
        if (index < 0)
            Fail(node, $"'{Text(node)}' is not one of {string.Join(", ", names)}{NearestName.Hint(Text(node), names)}");
        return Enum.GetValues<T>()[index];
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void Fail(YamlNode node, string problem) => Throw.BadInput($"{_file}:{node.Start.Line}: {problem}");
}
