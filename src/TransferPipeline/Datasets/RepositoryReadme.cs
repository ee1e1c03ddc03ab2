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

    /// <summary>The splits that it gives to files, whatever these are called: names and patterns with <c>*</c>.</summary>
    /// <param name="problems">Receives a header that is no YAML.</param>
    public static IEnumerable<(string Split, string Pattern)> Splits(string folder, ProblemList problems)
    {
        var file = Path.Combine(folder, FileName);
        // A pipe has no length; reading it could wait for ever.
        if (!File.Exists(file) || FileBytes.Length(file) is 0 or > LongestFile)
            return [];
        var lines = File.ReadAllText(file).Split('\n').Select(line => line.TrimEnd('\r', ' ')).ToList();
        var end = lines.IndexOf(Dashes, 1);
        return lines[0] == Dashes && end > 0 ? Read(string.Join('\n', lines[1..end]), problems) : [];
    }

    private static IEnumerable<(string, string)> Read(string header, ProblemList problems)
    {
        try
        {
            var yaml = YamlText.Parse(header, static (line, problem, e) => new BadInputException($"line {line + 1}: {problem}", e));
            return
            [
                .. from document in yaml.Documents
                from configuration in Items(Value(document.RootNode, "configs"))
                from files in Items(Value(configuration, "data_files"))
                from stated in Stated(files)
                from pattern in Items(stated.Patterns).OfType<YamlScalarNode>()
                select (stated.Split, pattern.Value ?? ""),
            ];
        }
        catch (BadInputException e)
        {
            problems.Add(FileName, "its header is not read: " + e.Message);
            return [];
        }
    }

    /// <summary>Files of a split: <c>split</c> and <c>path</c>, or the split's name as the key.</summary>
    private static IEnumerable<(string Split, YamlNode? Patterns)> Stated(YamlNode files) =>
        Value(files, "split") is YamlScalarNode split ? [(split.Value ?? "", Value(files, "path"))]
        : files is YamlMappingNode map && Value(files, "path") is null
            ? map.Children.Select(child => ((child.Key as YamlScalarNode)?.Value ?? "", (YamlNode?)child.Value))
        : [];

    private static YamlNode? Value(YamlNode node, string key) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    /// <summary>Of a list its items; of anything else that alone.</summary>
    private static IEnumerable<YamlNode> Items(YamlNode? node) =>
        node switch
        {
            null => [],
            YamlSequenceNode list => list.Children,
            _ => [node],
        };
}
