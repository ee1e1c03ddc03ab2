namespace TransferPipeline.Evaluation;

/// <summary>
/// Photos whose label is probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021): a photo counts for a class when its
/// out-of-fold probability of it is at least the mean that the photos of that class have; a photo that counts for another class
/// than its label, and most of all for that one, is suspect.
/// </summary>
internal static class SuspectLabels
{
    private const int Most = 100;

    /// <summary>Positions among the predictions and the classes suggested, the most suspect (smallest margin of the label) first.</summary>
    public static IReadOnlyList<(int Position, int Suggested)> Find(Predictions outOfFold)
    {
        var thresholds = Thresholds(outOfFold);
        var suspects = new List<(int Position, int Suggested, float Margin)>();
        for (var i = 0; i < outOfFold.Count; i++)
        {
            var row = outOfFold.Row(i);
            var best = -1;
            for (var k = 0; k < row.Length; k++)
            {
                if (row[k] >= thresholds[k] && (best < 0 || row[k] > row[best]))
                    best = k;
            }

            if (best >= 0 && best != outOfFold.Truth[i])
                suspects.Add((i, best, row[outOfFold.Truth[i]] - row[best]));
        }

        return [.. suspects.OrderBy(s => s.Margin).ThenBy(s => s.Position).Select(s => (s.Position, s.Suggested))];
    }

    public static SuspectLabel[] Describe(FeatureView view, Predictions outOfFold) =>
        [
            .. Find(outOfFold)
                .Take(Most)
                .Select(s =>
                {
                    var photo = view.Photo(outOfFold.Photos[s.Position]);
                    var row = outOfFold.Row(s.Position);
                    return new SuspectLabel(
                        photo.Path,
                        photo.Split,
                        photo.Label,
                        view.Data.Classes[s.Suggested],
                        row[outOfFold.Truth[s.Position]],
                        row[s.Suggested]
                    );
                }),
        ];

    /// <summary>For each class the mean probability that its own photos have of it.</summary>
    private static double[] Thresholds(Predictions outOfFold)
    {
        var (sums, counts) = (new double[outOfFold.ClassCount], new int[outOfFold.ClassCount]);
        for (var i = 0; i < outOfFold.Count; i++)
        {
            sums[outOfFold.Truth[i]] += outOfFold.Row(i)[outOfFold.Truth[i]];
            counts[outOfFold.Truth[i]]++;
        }

        // A class without evaluated photos has no mean; no photo can count for it.
        return [.. sums.Zip(counts, (sum, count) => count == 0 ? double.PositiveInfinity : sum / count)];
    }
}
