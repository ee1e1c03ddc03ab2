using TransferPipeline.Evaluation;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Evaluation;

/// <summary>Synthetic feature sets: normal clouds around random class centres.</summary>
internal static class Synthetic
{
    /// <param name="perSplit">Photos of each class in each split.</param>
    /// <param name="separation">Standard deviation of the centres; photos have 1.</param>
    public static FeatureSource Set(
        int classes = 3,
        int columns = 8,
        double separation = 2,
        int seed = 1,
        string folder = "synthetic",
        params (string Split, int PerClass)[] perSplit
    )
    {
        perSplit = perSplit.Length > 0 ? perSplit : [("train", 30), ("validation", 20)];
        var rows = perSplit
            .SelectMany(s =>
                Enumerable.Range(0, classes).SelectMany(k => Enumerable.Range(0, s.PerClass).Select(i => (s.Split, Class: k, Index: i)))
            )
            .ToArray();
        var x = new FeatureMatrix(rows.Length, columns);
        for (var r = 0; r < rows.Length; r++)
        {
            for (var d = 0; d < columns; d++)
            {
                var centre = separation * RandomStream.OfDraws(seed, (ulong)rows[r].Class + 1).NormalAt((ulong)d);
                x.Row(r)[d] = (float)(centre + RandomStream.OfDraws(seed, 1000 + (ulong)r).NormalAt((ulong)d));
            }
        }

        return Source(x, [.. rows.Select(r => r.Class)], [.. rows.Select(r => r.Split)], classes, folder);
    }

    public static FeatureSource Source(FeatureMatrix x, int[] y, string[] splits, int classes, string folder = "synthetic")
    {
        string[] names = [.. Enumerable.Range(0, classes).Select(k => $"class{k}")];
        var data = new FeatureData
        {
            X = x,
            Y = y,
            Classes = names,
            Rows = [.. y.Select((k, r) => new FeatureRow($"{splits[r]}/{names[k]}/{r:D4}.jpg", names[k], splits[r], 0, "", 0, 0, 4, 4))],
        };
        return new(new(folder, "model-of-" + folder, "penultimate", x.Columns, double.NaN, new Dictionary<string, string>()), data);
    }

    public static FeatureSource With(FeatureSource source, Func<FeatureRow, int, FeatureRow> change, string folder = "changed") =>
        new(
            source.Summary with
            {
                Folder = folder,
            },
            new()
            {
                X = source.Data.X,
                Y = source.Data.Y,
                Classes = source.Data.Classes,
                Rows = [.. source.Data.Rows.Select(change)],
            }
        );
}
