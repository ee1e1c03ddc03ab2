using System.Text.RegularExpressions;

namespace TransferPipeline.Datasets;

/// <summary>
/// The image-level labels of OpenImages: columns ImageID, Source, LabelName and Confidence, photos called by their ImageID, classes by
/// Freebase numbers (/m/01g317) whose names stand in a table class-descriptions beside it.
/// </summary>
internal static partial class OpenImages
{
    private const string Descriptions = "*class-descriptions*.csv";

    /// <summary>The extension of the photos when the names have none; empty when they have one or none is found.</summary>
    public static string Extension(string folder, string firstName, ProblemList problems)
    {
        if (firstName.Length == 0 || PhotoFiles.IsPhoto(firstName))
            return "";
        var found = Array.Find([".jpg", ".jpeg", ".png", ".JPG"], e => File.Exists(Path.Combine(folder, firstName + e))) ?? "";
        if (found.Length > 0)
            problems.Add(firstName + found, $"the table's names have no extension; {found} is added to all");
        return found;
    }

    /// <summary>Lines of the wanted classes, with names in place of Freebase numbers.</summary>
    public static IEnumerable<TableLine> Named(DatasetOptions options, IEnumerable<TableLine> lines, ProblemList problems)
    {
        var names = ReadNames(options, problems);
        var wanted = options.Classes.Select(UnicodeForms.Decompose).ToHashSet(StringComparer.Ordinal);
        var unwanted = 0;
        foreach (var line in lines)
        {
            var named = line with { Label = names.GetValueOrDefault(line.Label, line.Label) };
            // Photos have labels of many classes: only those that are wanted need be one per photo.
            if (wanted.Count == 0 || wanted.Contains(UnicodeForms.Decompose(named.Label)))
                yield return named;
            else
                unwanted++;
        }

        if (unwanted > 0)
            problems.Add(Path.GetFileName(options.Path), $"{unwanted:N0} labels are of classes that are not wanted");
    }

    private static Dictionary<string, string> ReadNames(DatasetOptions options, ProblemList problems)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(options.Path))!;
        var file = Directory.EnumerateFiles(folder, Descriptions).Order(StringComparer.Ordinal).FirstOrDefault();
        if (file is null)
        {
            problems.Add(Path.GetFileName(options.Path), $"no {Descriptions} lies beside it: classes are called as in the table");
            return [];
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        // Lines that begin with such a number: some versions of the table have a header, others have none.
        foreach (var line in TextFile.Read(file).Split('\n').Select(l => l.Trim('\r')).Where(l => Number().IsMatch(l)))
        {
            var comma = line.IndexOf(',', StringComparison.Ordinal);
            // A field in quotes doubles the quotes inside it (RFC 4180).
            names[line[..comma].Trim('"')] = line[(comma + 1)..].Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal);
        }

        var twice = names.GroupBy(n => n.Value).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            problems.Add(
                Path.GetFileName(file),
                $"the name '{twice.Key}' stands for several classes ({string.Join(", ", twice.Select(n => n.Key))}); those keep their "
                    + $"numbers"
            );
        // Under one name the classes would become one; under their numbers they stay apart.
        foreach (var number in names.GroupBy(n => n.Value).Where(g => g.Count() > 1).SelectMany(g => g.Select(n => n.Key)).ToList())
            names.Remove(number);
        problems.Add(Path.GetFileName(file), "class names are taken from it");
        return names;
    }

    [GeneratedRegex("^\"?/[a-z]/[^,]*,.")]
    private static partial Regex Number();
}
