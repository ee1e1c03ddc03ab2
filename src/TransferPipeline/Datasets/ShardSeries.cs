using System.Globalization;
using System.Text.RegularExpressions;

namespace TransferPipeline.Datasets;

/// <summary>
/// Numbered files of one dataset: train-00000-of-00005.parquet, train-000012.tar, 0003.parquet. A gap means photos that nobody would miss.
/// </summary>
internal static partial class ShardSeries
{
    private const int MostNamed = 5;

    /// <summary>Notes numbers that are missing.</summary>
    /// <exception cref="BadInputException">Files of two series lie together: their totals differ, or they share a number.</exception>
    public static void Check(string source, IEnumerable<string> files, ProblemList problems)
    {
        var all = files.ToHashSet(StringComparer.Ordinal);
        var parts = all
        // A copy without its original beside it stands for that one.
        .Select(file => (File: file, Match: Numbered().Match(CopiedNames.Original(file))))
            .Where(f => f.Match.Success)
            .Select(f =>
                (
                    f.File,
                    Series: f.Match.Groups["before"].Value + "*" + f.Match.Groups["after"].Value,
                    Whole: f.Match.Groups["before"].Value.TrimEnd('-', '_', '.') + f.Match.Groups["after"].Value,
                    Number: f.Match.Groups["number"].Value,
                    Total: f.Match.Groups["total"].Value
                )
            );
        foreach (var series in parts.GroupBy(p => p.Series))
        {
            var totals = series.Select(p => p.Total).Distinct().ToList();
            if (totals.Count > 1)
                throw new BadInputException(
                    $"{source}: '{series.First(p => p.Total == totals[0]).File}' and '{series.First(p => p.Total == totals[1]).File}' "
                        + $"are of two series; remove the files of the older one"
                );
            // datasets puts a hash behind the number, another one each time it writes.
            if (series.GroupBy(p => p.Number).FirstOrDefault(g => g.Count() > 1)?.ToList() is { } twice)
                throw new BadInputException(
                    $"{source}: '{twice[0].File}' and '{twice[1].File}' have one number of the same series; their photos may count twice: "
                        + $"remove the older file"
                );
            var there = series.Select(p => Value(p.Number)).ToHashSet();
            var isTotal = totals[0].Length > 0;
            // train.parquet is the whole of train-00000-of-00002.parquet and the next, or an older version.
            if (isTotal && all.Contains(series.First().Whole))
                throw new BadInputException(
                    $"{source}: '{series.First().Whole}' lies beside the numbered series of '{series.First().File}'; their photos may "
                        + "count twice: remove that file or the series"
                );
            // Without a total, numbers that lie far apart are dates or the like.
            if (!isTotal && (there.Count < 2 || there.Max() > Farthest(there.Count, series.First().Number.Length)))
                continue;
            if (all.Contains(series.First().Whole))
                problems.Add(
                    series.First().Whole,
                    $"lies beside the numbered series of {series.First().File}; all are read: if it holds the same photos, remove it"
                );
            var last = isTotal ? Value(totals[0]) : there.Max() + 1;
            // Some series begin at 1.
            var first = isTotal ? (there.Contains(last) && !there.Contains(0) ? 1 : 0) : Math.Min(1, there.Min());
            var end = isTotal ? last + first : last;
            var missing = end - first - there.Count(n => n >= first && n < end);
            if (missing <= 0)
                continue;
            var names = new List<string>();
            // The search ends after a few names, since a damaged total may announce a billion files.
            for (var n = first; n < end && names.Count < MostNamed; n++)
            {
                if (!there.Contains(n))
                    names.Add(n.ToString(CultureInfo.InvariantCulture).PadLeft(series.First().Number.Length, '0'));
            }

            problems.Add(
                series.First().File,
                $"{missing:N0} files of its numbered series are not there: "
                    + $"{string.Join(", ", names)}{(missing > names.Count ? ", ..." : "")}{(isTotal ? $" of {totals[0]}" : "")}; "
                    + $"their photos are missing"
            );
        }
    }

    /// <summary>Notes files of one name and split in several folders: parts of one dataset, or one dataset twice.</summary>
    public static void NoteSameNames(IEnumerable<(string File, string Split)> files, ProblemList problems)
    {
        var same = files.GroupBy(f => (f.File[(f.File.LastIndexOf('/') + 1)..], f.Split)).Where(g => g.Count() > 1).ToList();
        if (same.Count > 0)
            problems.Add(
                same[0].ElementAt(1).File,
                $"{same.Count:N0} names of files occur in several folders (this one also as {same[0].First().File}); all are read, as "
                    + $"parts of one dataset: if they hold the same photos, give one folder"
            );
    }

    /// <summary>The last number of a series; short numbers need to lie closer, since names such as cifar10 have some too.</summary>
    private static long Farthest(int files, int digits) => digits >= 4 ? 10L * files + 100 : 2L * files + 1;

    private static long Value(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    /// <summary>The last number in a file's name, with the total behind -of- where there is one.</summary>
    [GeneratedRegex(
        @"^(?<before>(?:.*/)?(?:[^/]*?[^0-9/])?)(?<number>[0-9]{1,9})(?:[-_]of[-_](?<total>[0-9]{1,9}))?"
            + @"(?:-[0-9a-f]{16})?(?<after>\.[^/]+)$"
    )]
    private static partial Regex Numbered();
}
