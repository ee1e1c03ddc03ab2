using System.Globalization;
using System.Numerics.Tensors;

namespace TransferPipeline.Features;

/// <summary>How far the vectors of two sets of the same photos lie apart, and whether heads may be shared between them.</summary>
internal sealed record DriftReport
{
    public required string A { get; init; }

    public required string B { get; init; }

    /// <summary>In what the recipes differ.</summary>
    public required IReadOnlyList<RecipeDifference> Differences { get; init; }

    /// <summary>Vectors compared: same path, same view, same bytes.</summary>
    public required int Vectors { get; init; }

    /// <summary>Vectors of A without a counterpart in B, and the other way round.</summary>
    public required int OnlyInA { get; init; }

    public required int OnlyInB { get; init; }

    public required double CosineMin { get; init; }

    public required double CosineMean { get; init; }

    /// <summary>The photo with the smallest cosine.</summary>
    public required string Worst { get; init; }

    public required double LargestDifference { get; init; }

    /// <summary>
    /// Share of (at most <see cref="FeatureDrift.MaxQueries"/>) photos whose nearest neighbour by cosine is the same photo in both sets, or
    /// in B one that in A is as near to within 1 - <see cref="FeatureDrift.CosineLimit"/>: among copies of a photo the last bit decides.
    /// </summary>
    public required double NeighbourAgreement { get; init; }

    /// <summary>Share of photos for which a head trained on A predicts the same from both vectors; NaN without a head.</summary>
    public double HeadAgreement { get; init; } = double.NaN;

    /// <summary>A head trained on one set may be used on the other.</summary>
    public required bool Shareable { get; init; }

    /// <summary>One sentence.</summary>
    public required string Verdict { get; init; }
}

/// <summary>Compares two sets of the same photos: CPU and CUDA, fp32 and fp16, two machines.</summary>
internal static class FeatureDrift
{
    /// <summary>Heads are shared from this cosine on: fp16 keeps it, another resize or decoder often does not.</summary>
    public const double CosineLimit = 0.9995;

    /// <summary>Neighbours at nearly the same distance swap places for less than any head would notice.</summary>
    public const double NeighbourLimit = 0.98;

    public const double HeadLimit = 0.995;

    /// <summary>Photos, spread over the set, whose neighbours are looked for.</summary>
    public const int MaxQueries = 1000;

    /// <param name="headAgreement">Given the matching rows of both, the share of photos for which a head trained on the first predicts the
    /// same.</param>
    /// <exception cref="BadInputException">The sets have no photo in common, or vectors of different lengths.</exception>
    public static DriftReport Compare(
        FeatureSet a,
        FeatureSet b,
        Func<FeatureData, FeatureData, double>? headAgreement = null,
        int threads = 0
    )
    {
        if (a.Dimension != b.Dimension)
            throw new BadInputException(
                $"{a.Folder} has vectors of {a.Dimension} values, {b.Folder} of {b.Dimension}: these cannot be compared"
            );
        threads = threads > 0 ? threads : Environment.ProcessorCount;
        var (first, second, rowsA, rowsB) = Match(a.Load(), b.Load());
        if (first.Rows.Count == 0)
            throw new BadInputException($"{a.Folder} and {b.Folder} have no photo in common (same path and same bytes)");
        RequireFinite(a, first);
        RequireFinite(b, second);
        var (cosines, largest, neighbours) = Agreement(first.X, second.X, threads);
        var worst = Array.IndexOf(cosines, cosines.Min());
        var head = headAgreement?.Invoke(first, second) ?? double.NaN;
        // NaN, without a head, passes.
        var shareable = cosines[worst] >= CosineLimit && neighbours >= NeighbourLimit && !(head < HeadLimit);
        return new()
        {
            A = a.Folder,
            B = b.Folder,
            Differences = a.Recipe.Differences(b.Recipe),
            Vectors = first.Rows.Count,
            OnlyInA = rowsA - first.Rows.Count,
            OnlyInB = rowsB - first.Rows.Count,
            CosineMin = cosines[worst],
            CosineMean = cosines.Average(),
            Worst = first.Rows[worst].Path,
            LargestDifference = largest,
            NeighbourAgreement = neighbours,
            HeadAgreement = head,
            Shareable = shareable,
            Verdict = Verdict(shareable, cosines[worst], neighbours, head),
        };
    }

    /// <summary>A vector with NaN is near to nothing, itself included.</summary>
    private static void RequireFinite(FeatureSet set, FeatureData data)
    {
        for (var i = 0; i < data.Rows.Count; i++)
        {
            if (!TensorPrimitives.IsFiniteAll<float>(data.X.Row(i)))
                throw new BadInputException(
                    $"{set.Folder}: the vector of {data.Rows[i].Path} holds NaN or infinity; extract that photo again or leave it out"
                );
        }
    }

    /// <summary>Cosine of each pair of rows, largest difference of a value, and share of rows with the same nearest neighbour.</summary>
    internal static (double[] Cosines, double Largest, double Neighbours) Agreement(FeatureMatrix a, FeatureMatrix b, int threads)
    {
        var (cosines, largest) = Distances(a, b, threads);
        return (cosines, largest, NeighbourAgreement(a, b, threads));
    }

    private static string Verdict(bool shareable, double cosine, double neighbours, double head)
    {
        // Rounded down: what is printed as at least must not exceed the value.
        if (shareable)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"heads may be shared: every cosine is at least {Math.Floor(cosine * 1e6) / 1e6:F6}"
            );
        var reasons = new List<string>();
        if (cosine < CosineLimit)
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"the smallest cosine is {cosine:F6}, below {CosineLimit}"));
        if (neighbours < NeighbourLimit)
            reasons.Add(
                string.Create(CultureInfo.InvariantCulture, $"nearest neighbours agree for {neighbours:P1}, less than {NeighbourLimit:P0}")
            );
        if (head < HeadLimit)
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"a head's predictions agree for {head:P1}, less than {HeadLimit:P1}"));
        return $"train heads on each set by itself: {string.Join("; ", reasons)}";
    }

    /// <summary>The rows that both have, in A's order.</summary>
    private static (FeatureData A, FeatureData B, int RowsA, int RowsB) Match(FeatureData a, FeatureData b)
    {
        var inB = new Dictionary<(string, int, string), int>();
        for (var i = 0; i < b.Rows.Count; i++)
            inB[(b.Rows[i].Path, b.Rows[i].View, b.Rows[i].ImageSha256)] = i;
        var pairs = new List<(int A, int B)>();
        for (var i = 0; i < a.Rows.Count; i++)
        {
            // The hash is part of the key: a photo that was replaced under its name is another photo.
            if (inB.TryGetValue((a.Rows[i].Path, a.Rows[i].View, a.Rows[i].ImageSha256), out var match))
                pairs.Add((i, match));
        }

        return (Select(a, [.. pairs.Select(p => p.A)]), Select(b, [.. pairs.Select(p => p.B)]), a.Rows.Count, b.Rows.Count);
    }

    private static FeatureData Select(FeatureData data, int[] rows) =>
        new()
        {
            X = data.X.Select(rows),
            Y = [.. rows.Select(r => data.Y[r])],
            Classes = data.Classes,
            Rows = [.. rows.Select(r => data.Rows[r])],
        };

    private static (double[] Cosines, double Largest) Distances(FeatureMatrix a, FeatureMatrix b, int threads)
    {
        var (cosines, largest) = (new double[a.Rows], new float[a.Rows]);
        Blocks.For(
            a.Rows,
            256,
            threads,
            (_, first, end) =>
            {
                var difference = new float[a.Columns];
                for (var i = first; i < end; i++)
                {
                    cosines[i] = Cosine(a.Row(i), b.Row(i));
                    TensorPrimitives.Subtract<float>(a.Row(i), b.Row(i), difference);
                    largest[i] = TensorPrimitives.MaxMagnitude<float>(difference);
                }
            }
        );
        // MaxMagnitude keeps the sign.
        return (cosines, largest.Select(Math.Abs).Max());
    }

    /// <summary>In double: float would blur the sixth digit. Two zero vectors are alike.</summary>
    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (ab, aa, bb) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            ab += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }

        // Rounding may give a little more than 1.
        return aa == 0 && bb == 0 ? 1
            : aa == 0 || bb == 0 ? 0
            : Math.Min(1, ab / Math.Sqrt(aa * bb));
    }

    private static double NeighbourAgreement(FeatureMatrix a, FeatureMatrix b, int threads)
    {
        // Of two photos each is the nearest to the other, whatever the vectors are.
        if (a.Rows < 3)
            return 1;
        var queries = Spread.Over(a.Rows, MaxQueries);
        var same = new bool[queries.Length];
        var (normsA, normsB) = (Norms(a), Norms(b));
        Blocks.For(
            queries.Length,
            16,
            threads,
            (_, first, end) =>
            {
                for (var q = first; q < end; q++)
                {
                    var row = queries[q];
                    var (inA, inB) = (Nearest(a, normsA, row), Nearest(b, normsB, row));
                    same[q] = inA == inB || Cosine(a.Row(row), a.Row(inA)) - Cosine(a.Row(row), a.Row(inB)) <= 1 - CosineLimit;
                }
            }
        );
        return (double)same.Count(s => s) / queries.Length;
    }

    private static float[] Norms(FeatureMatrix x) =>
        // A zero vector then has the cosine 0 with every other one and not NaN, which no comparison finds.
        [.. Enumerable.Range(0, x.Rows).Select(i => Math.Max(float.Epsilon, TensorPrimitives.Norm<float>(x.Row(i))))];

    private static int Nearest(FeatureMatrix x, float[] norms, int row)
    {
        var (best, nearest) = (float.NegativeInfinity, -1);
        for (var i = 0; i < x.Rows; i++)
        {
            if (i == row)
                continue;
            // The norm of the row itself is left out: it is the same for all candidates.
            var cosine = TensorPrimitives.Dot<float>(x.Row(row), x.Row(i)) / norms[i];
            if (cosine > best)
                (best, nearest) = (cosine, i);
        }

        return nearest;
    }
}
