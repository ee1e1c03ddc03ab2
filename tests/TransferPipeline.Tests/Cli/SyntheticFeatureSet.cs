using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Cli;

/// <summary>A feature set on disk with synthetic vectors, as a careless tool could leave one.</summary>
internal static class SyntheticFeatureSet
{
    private const int Columns = 6;

    /// <param name="photos">Label and split of each photo.</param>
    /// <param name="change">Changes vectors before they are written.</param>
    public static string Write(string folder, IReadOnlyList<(string Label, string Split)> photos, Action<FeatureMatrix>? change = null)
    {
        Directory.CreateDirectory(folder);
        string[] classes = [.. photos.Select(p => p.Label).Distinct().Order(StringComparer.Ordinal)];
        var random = new Random(3);
        var vectors = new FeatureMatrix(photos.Count, Columns);
        for (var i = 0; i < photos.Count; i++)
        {
            for (var d = 0; d < Columns; d++)
                vectors.Row(i)[d] = (float)(random.NextDouble() + (d == Array.IndexOf(classes, photos[i].Label) ? 1 : 0));
        }

        change?.Invoke(vectors);
        const string Part = "part-00000.parquet";
        var file = Path.Combine(folder, Part);
        TestTable
            .Create()
            .Write(
                file,
                [
                    .. photos.Select(
                        (p, i) => new FeatureRow($"{p.Split}/{p.Label}/{i:d4}.jpg", p.Label, p.Split, 0, $"{i:x64}", 1, 1, 1, 1)
                    ),
                ],
                vectors
            );
        var (bytes, sha) = DurableFile.Hash(file);
        new FeatureManifest
        {
            Complete = true,
            Dataset = "synthetic",
            Recipe = new()
            {
                Model = "synthetic",
                ModelSha256 = new('0', 64),
                Cut = "penultimate",
                Pooling = "none",
                Preprocessing = Preprocessing.ImageNet(),
                Decoder = "none",
            },
            Dimension = Columns,
            Classes = classes,
            Parts = [new(Part, photos.Count, bytes, sha, $"0+{photos.Count}")],
            NextPart = 1,
        }.Write(folder);
        return folder;
    }

    /// <summary>So many photos of each class in each split.</summary>
    public static List<(string Label, string Split)> Photos(int perClass, string[] classes, params string[] splits) =>
        [.. splits.SelectMany(split => classes.SelectMany(label => Enumerable.Repeat((label, split), perClass)))];
}
