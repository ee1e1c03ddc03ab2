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
    /// <exception cref="BadInputException">Files of two series with different totals lie together.</exception>
    public static void Check(string source, IEnumerable<string> files, ProblemList problems)
    {
        var parts = files
            .Select(file => (File: file, Match: Numbered().Match(file)))
            .Where(f => f.Match.Success)
            .Select(f =>
                (
                    f.File,
                    Series: f.Match.Groups["before"].Value + "*" + f.Match.Groups["after"].Value,
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
            var there = series.Select(p => Value(p.Number)).ToHashSet();
            var isTotal = totals[0].Length > 0;
            // Without a total, numbers that lie far apart are dates or the like.
            if (!isTotal && (there.Count < 2 || there.Max() > 10L * there.Count + 100))
                continue;
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

    private static long Value(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    /// <summary>The last number of at least four digits in a file's name, with the total behind -of- where there is one.</summary>
    [GeneratedRegex(
        @"^(?<before>(?:.*/)?(?:[^/]*?[^0-9/])?)(?<number>[0-9]{4,9})(?:-of-(?<total>[0-9]{4,9}))?(?:-[0-9a-f]{16})?(?<after>\.[^/]+)$"
    )]
    private static partial Regex Numbered();
}
