using System.Security.Cryptography;

namespace TransferPipeline.Datasets;

/// <summary>Photos of one class in one split.</summary>
internal sealed record ClassCount(string Split, string Label, int Photos);

/// <summary>What there is and what is wrong with it, before any work is done.</summary>
/// <param name="Form">The form of the data that was recognized, in words.</param>
/// <param name="Bytes">Encoded size of all photos.</param>
/// <param name="Counts">By split (train, validation, test), then class; zeros included.</param>
internal sealed record DatasetReport(
    string Source,
    DatasetKind Kind,
    string Form,
    int Photos,
    long Bytes,
    IReadOnlyList<string> Classes,
    IReadOnlyList<ClassCount> Counts,
    IReadOnlyList<DatasetProblem> Problems
);

/// <summary>Looks over a dataset: counts, the reader's problems and byte-identical photos.</summary>
internal static class DatasetCheck
{
    /// <summary>Reads only photos that share their length with another one: those alone can be copies.</summary>
    public static DatasetReport Run(DatasetOptions options, IPhotoTable? table = null, CancellationToken cancellation = default)
    {
        using var data = DatasetReader.Open(options, table);
        var entries = data.Entries;
        var counts = entries.CountBy(e => (e.Split, e.Label)).ToDictionary();
        var splits = entries.Select(e => e.Split).Distinct().OrderBy(SplitNames.Order);
        var problems = new ProblemList();
        NoteCopies(data, problems, cancellation);
        return new DatasetReport(
            data.Source,
            DatasetReader.KindOf(options),
            data.Form,
            entries.Count,
            Enumerable.Range(0, entries.Count).Sum(i => data.Stamp(i).Bytes),
            data.Classes,
            [
                .. splits.SelectMany(split =>
                    data.Classes.Select(label => new ClassCount(split, label, counts.GetValueOrDefault((split, label))))
                ),
            ],
            [.. data.Problems, .. problems.ToList()]
        );
    }

    private static void NoteCopies(Dataset data, ProblemList problems, CancellationToken cancellation)
    {
        var buffer = Array.Empty<byte>();
        var candidates = Enumerable
            .Range(0, data.Entries.Count)
            .GroupBy(i => data.Stamp(i).Bytes)
            // Empty files are all alike, and the reader has noted them already.
            .Where(g => g.Key > 0 && g.Count() > 1)
            .SelectMany(g => g)
            .Order();
        var first = new Dictionary<string, int>();
        // In ascending order, so that the copy is reported and not the photo that comes first in the dataset.
        foreach (var i in candidates)
        {
            cancellation.ThrowIfCancellationRequested();
            if (HashOf(data, i, ref buffer, problems) is not { } hash || first.TryAdd(hash, i))
                continue;
            var (original, copy) = (data.Entries[first[hash]], data.Entries[i]);
            var kind =
                original.Label != copy.Label ? "the same photo as one of another class"
                : original.Split != copy.Split ? "the same photo as one of another split: a head that memorized it counts as right"
                : "the same photo twice in one class and split";
            problems.Add(copy.Path, kind, $" ({original.Path})");
        }
    }

    /// <returns>Null for a photo that cannot be read: an extraction records it as failed, and here it must not end the report.</returns>
    private static string? HashOf(Dataset data, int photo, ref byte[] buffer, ProblemList problems)
    {
        try
        {
            var length = data.Read(photo, ref buffer);
            return Convert.ToHexStringLower(SHA256.HashData(buffer.AsSpan(0, length)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(data.Entries[photo].Path, "cannot be read", $" ({e.Message.ReplaceLineEndings(" ")})");
            return null;
        }
    }
}
