using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Evaluation;

/// <summary>Photos that are far from the others of their class: mean cosine distance to the nearest of them.</summary>
internal static class Outliers
{
    private const int Neighbours = 5;
    private const int Most = 50;

    // Scores this many robust standard deviations above their class's median stand out (Iglewicz and Hoaglin 1993).
    private const double Deviations = 3.5;
    private const double MadToSigma = 1.4826;

    public static Outlier[] Find(FeatureView view, int threads)
    {
        var (scores, excess) = Scores(view, threads);
        return
        [
            .. Enumerable
                .Range(0, view.PhotoCount)
                .Where(p => excess[p] > Deviations)
                .OrderByDescending(p => excess[p])
                .ThenBy(p => p)
                .Take(Most)
                .Select(p => new Outlier(view.Photo(p).Path, view.Photo(p).Split, view.Photo(p).Label, scores[p])),
        ];
    }

    /// <summary>The score of each photo, and how many robust deviations it is above its class's median.</summary>
    private static (double[] Scores, double[] Excess) Scores(FeatureView view, int threads)
    {
        var (scores, excess) = (new double[view.PhotoCount], new double[view.PhotoCount]);
        // A photo of a smaller class has not enough others to be compared with.
        foreach (
            var photos in Enumerable
                .Range(0, view.PhotoCount)
                .GroupBy(p => view.Y[p])
                .Select(g => g.ToArray())
                .Where(g => g.Length > Neighbours)
        )
        {
            var ofClass = ClassScores(view, photos, threads);
            var median = Median(ofClass);
            var deviation = MadToSigma * Median(Array.ConvertAll(ofClass, s => Math.Abs(s - median)));
            for (var i = 0; i < photos.Length; i++)
            {
                scores[photos[i]] = ofClass[i];
                // Where more than half of the scores are equal the deviation is 0, and any other score would stand out.
                excess[photos[i]] = deviation > 0 ? (ofClass[i] - median) / deviation : 0;
            }
        }

        return (scores, excess);
    }

    private static double[] ClassScores(FeatureView view, int[] photos, int threads)
    {
        var x = view.Vectors(photos);
        var inverseNorms = NearDuplicates.InverseNorms(x);
        var scores = new double[photos.Length];
        // In blocks of rows: the products of a large class at once would be its size squared.
        Blocks.For(
            photos.Length,
            64,
            threads,
            (_, start, end) =>
            {
                var products = new float[(end - start) * photos.Length];
                MatMul.TransposedB(
                    x.Data.AsSpan(start * x.Columns, (end - start) * x.Columns),
                    x.Data.AsSpan(0, x.Rows * x.Columns),
                    products,
                    end - start,
                    x.Rows,
                    x.Columns
                );
                var distances = new double[photos.Length];
                for (var i = start; i < end; i++)
                {
                    for (var j = 0; j < photos.Length; j++)
                        distances[j] =
                            j == i
                                ? double.PositiveInfinity
                                : 1 - (products[((i - start) * photos.Length) + j] * inverseNorms[i] * inverseNorms[j]);
                    Array.Sort(distances);
                    for (var n = 0; n < Neighbours; n++)
                        scores[i] += distances[n] / Neighbours;
                }
            }
        );
        return scores;
    }

    private static double Median(double[] values)
    {
        var sorted = (double[])values.Clone();
        Array.Sort(sorted);
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
