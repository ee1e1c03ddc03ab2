using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Datasets;

/// <summary>
/// The YAML header of a Hugging Face repository's README.md, between two lines of dashes at its beginning: what <c>configs</c> and their
/// <c>data_files</c> state (huggingface.co/docs/hub/datasets-manual-configuration).
/// </summary>
internal static class RepositoryReadme
{
    public const string FileName = "README.md";

    private const string Dashes = "---";

    /// <summary>Bytes of a file that is read for its header.</summary>
    private const int LongestFile = 4 << 20;

    /// <summary>The header; null where there is none.</summary>
    /// <param name="problems">Receives a header that is no YAML.</param>
    public static YamlNode? Header(string folder, ProblemList problems)
    {
        var file = Path.Combine(folder, FileName);
        // A pipe has no length; reading it could wait for ever.
        if (!File.Exists(file) || FileBytes.Length(file) is 0 or > LongestFile)
            return null;
        var lines = InputFile.Read(file, () => File.ReadAllText(file)).Split('\n').Select(line => line.TrimEnd('\r', ' ')).ToList();
        var end = lines.IndexOf(Dashes, 1);
        return lines[0] == Dashes && end > 0 ? Read(string.Join('\n', lines[1..end]), problems) : null;
    }

    /// <summary>The splits that a header gives to files, whatever these are called: names and patterns with <c>*</c>.</summary>
    public static IEnumerable<(string Split, string Pattern)> Splits(YamlNode? header) =>
        from configuration in YamlText.Items(YamlText.Value(header, "configs"))
        from files in YamlText.Items(YamlText.Value(configuration, "data_files"))
        from stated in Stated(files)
        from pattern in YamlText.Items(stated.Patterns).OfType<YamlScalarNode>()
        select (stated.Split, pattern.Value ?? "");

    private static YamlNode? Read(string header, ProblemList problems)
    {
        try
        {
            var yaml = YamlText.Parse(header, static (line, problem, e) => new BadInputException($"line {line + 1}: {problem}", e));
            return yaml.Documents.FirstOrDefault()?.RootNode;
        }
        catch (BadInputException e)
        {
            problems.Add(FileName, "its header is not read: " + e.Message);
            return null;
        }
    }

    /// <summary>Files of a split: <c>split</c> and <c>path</c>, or the split's name as the key.</summary>
    private static IEnumerable<(string Split, YamlNode? Patterns)> Stated(YamlNode files) =>
        YamlText.Value(files, "split") is YamlScalarNode split ? [(split.Value ?? "", YamlText.Value(files, "path"))]
        : files is YamlMappingNode map && YamlText.Value(files, "path") is null
            ? map.Children.Select(child => (YamlText.Text(child.Key) ?? "", (YamlNode?)child.Value))
        : [];
}
