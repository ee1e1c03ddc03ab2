using System.Text.RegularExpressions;

namespace TransferPipeline.Datasets;

/// <summary>
/// Names that browsers and file managers give to a second copy: train-000003 (1).tar, classes - Copy, Copy of data.parquet.
/// </summary>
internal static partial class CopiedNames
{
    /// <summary>The name that was copied, or the name itself where it is no copy's.</summary>
    /// <param name="path">With '/'; only its last name counts.</param>
    public static string Original(string path)
    {
        var name = path.LastIndexOf('/') + 1;
        return path[..name] + Mark().Replace(path[name..], "");
    }

    /// <summary>Takes the copies off a list of files: of each the original lies beside it, and its photos would count twice.</summary>
    public static List<T> Remove<T>(IReadOnlyCollection<T> files, Func<T, string> nameOf, ProblemList problems)
    {
        var names = files.Select(nameOf).ToHashSet(StringComparer.Ordinal);
        var left = new List<T>();
        foreach (var file in files)
        {
            var name = nameOf(file);
            var original = Original(name);
            if (original == name || !names.Contains(original))
                left.Add(file);
            else
                problems.Add(name, "not read: by its name a copy of a file beside it; remove or rename it", $" ({original})");
        }

        return left;
    }

    /// <summary>A number in parentheses or the word copy, at the end of the name or before its extension; or "Copy of" before it.</summary>
    [GeneratedRegex(
        @"^Copy of (?=.)|(?<=.)(?: ?\([0-9]{1,3}\)|[ _-]+copy(?: ?[0-9]{1,3}| ?\([0-9]{1,3}\))?)(?=\.|$)",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Mark();
}
