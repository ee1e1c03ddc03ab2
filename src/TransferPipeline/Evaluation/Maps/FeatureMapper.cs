using System.Globalization;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Evaluation;

/// <summary>Draws a feature set in the plane: principal components and a neighbour embedding by cosine.</summary>
internal static class FeatureMapper
{
    /// <summary>Most points of a map: enough to see classes, few enough for seconds and for a page.</summary>
    public const int MostPoints = 1500;

    /// <summary>Most points where there are many classes, of which each has at least one.</summary>
    private const int MostWithAllClasses = 2 * MostPoints;

    public static FeatureMap Run(FeatureView view, int featureSet, int seed, int threads, CancellationToken cancellation = default)
    {
        var photos = Sample(view, seed);
        var x = view.Vectors(photos);
        var n = photos.Length;
        // Both maps need no more of the vectors than their products, and the photos are few where the vectors are long.
        var products = new float[n * n];
        MatMul.TransposedB(x.Data, x.Data, products, n, n, x.Columns, threads);
        var (pca, explained) = PrincipalComponents.FromProducts(products, n, 2, threads);
        var embedding = NeighbourEmbedding.Run(CosineDistances(products, n), n, pca, threads, cancellation);
        var points = photos.Select(
            (photo, i) =>
                new MapPoint(
                    view.Photo(photo).Path,
                    view.Y[photo],
                    view.Photo(photo).Split,
                    pca[2 * i],
                    pca[(2 * i) + 1],
                    embedding[2 * i],
                    embedding[(2 * i) + 1]
                )
        );
        return new(
            [.. points],
            featureSet,
            explained,
            string.Create(
                CultureInfo.InvariantCulture,
                $"t-SNE, perplexity {Math.Min(NeighbourEmbedding.Perplexity, (n - 1) / 3.0):G3}, cosine"
            )
        );
    }

    /// <summary>All photos, or a stratified sample with at least one of each class, as far as there is room for so many classes.</summary>
    internal static int[] Sample(FeatureView view, int seed)
    {
        if (view.PhotoCount <= MostPoints)
            return [.. Enumerable.Range(0, view.PhotoCount)];
        int[] sample =
        [
            .. Enumerable
                .Range(0, view.PhotoCount)
                .GroupBy(p => view.Y[p])
                .SelectMany(g =>
                {
                    var photos = g.ToArray();
                    RandomStream.OfDraws(seed, (ulong)g.Key + 0x3A9).Shuffle<int>(photos);
                    // In 64 bits: 1,500 times 1.5 million photos is more than an int holds.
                    return photos.Take(Math.Max(1, (int)((long)MostPoints * photos.Length / view.PhotoCount)));
                })
                .Order(),
        ];
        // The products of all pairs are held in memory: of 20,000 classes with one photo each they would take gigabytes.
        return Array.ConvertAll(Spread.Over(sample.Length, MostWithAllClasses), i => sample[i]);
    }

    /// <summary>Squared distances of the vectors at length one: 2 - 2 cosine.</summary>
    private static float[] CosineDistances(float[] products, int n)
    {
        var inverse = new double[n];
        for (var i = 0; i < n; i++)
            inverse[i] = products[(i * n) + i] > 0 ? 1 / Math.Sqrt(products[(i * n) + i]) : 0;
        var distances = new float[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                // Rounding makes the distance of equal vectors slightly negative.
                distances[(i * n) + j] = i == j ? 0 : (float)Math.Max(0, 2 - (2 * products[(i * n) + j] * inverse[i] * inverse[j]));
        }

        return distances;
    }
}
