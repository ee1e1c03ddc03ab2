using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Gram matrices of parts of a larger set, as folds train on them: that of the whole is made once, and a part's is the whole's less the
/// rows held out, which are few. Products are taken around the whole's mean and then moved to the part's, which is near, so nothing
/// cancels.
/// </summary>
internal static class SharedGram
{
    /// <summary>Matrices of all rows up to this size are kept.</summary>
    private const long MostSharedBytes = 512L << 20;

    /// <summary>Sum over rows of (x - mean)(x - mean) transposed.</summary>
    /// <param name="rows">Those of <paramref name="data"/>, scaled by <paramref name="scaling"/>.</param>
    /// <param name="mean">Their mean; null for products around zero.</param>
    public static double[] ByValues(TrainingRows data, ScalingKind scaling, RowSet rows, double[]? mean, TrainingContext context)
    {
        var n = rows.Length;
        if (HeldOut(data, scaling, (long)n * n) is not { } heldOut)
        {
            var direct = new double[(long)n * n];
            GramMatrix<double>.Add(rows, mean, null, direct, context.Threads, context.Cancellation);
            return direct;
        }

        // In the comparison's scope: folds have scopes of their own, and this matrix is for all of them.
        var whole = context
            .Scope.Root.Cache<GramCache>()
            .ByValues.Get(
                (new(data.X, data.AllRows!, scaling), mean is not null),
                () => AllByValues(data, scaling, mean is not null, context)
            );
        var gram = (double[])whole.Gram.Clone();
        if (heldOut.Length > 0)
        {
            using var held = PreparedRows.Of(data with { Rows = heldOut }, scaling, context);
            var minus = new float[heldOut.Length];
            Array.Fill(minus, -1);
            GramMatrix<double>.AddUpper(held.Rows, whole.Mean, minus, gram, context.Threads, context.Cancellation);
        }

        if (mean is not null)
            GramMatrix<double>.Move(gram, whole.Mean!, mean, rows.Count, context.Threads);
        GramMatrix<double>.Mirror(gram, n, context.Threads);
        return gram;
    }

    /// <summary>Products of rows with rows, Count x Count.</summary>
    public static double[] ByRows(TrainingRows data, ScalingKind scaling, RowSet rows, TrainingContext context)
    {
        if (data.AllRows is not { } all || HeldOut(data, scaling, (long)all.Length * all.Length) is null)
            return RowGram.Of(rows, context);
        var whole = context
            .Scope.Root.Cache<GramCache>()
            .ByRows.Get(
                new(data.X, all, scaling),
                () =>
                {
                    using var prepared = PreparedRows.Of(data with { Rows = all }, scaling, context with { Scope = context.Scope.Root });
                    return RowGram.Of(prepared.Rows, context);
                }
            );
        // Products of rows with rows need no subtraction: a part's are some of the whole's.
        var places = Array.ConvertAll(data.Rows, row => Array.BinarySearch(all, row));
        var n = places.Length;
        var gram = new double[(long)n * n];
        Blocks.For(
            n,
            64,
            context.Threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    for (var j = 0; j < n; j++)
                        gram[(long)i * n + j] = whole[(long)places[i] * all.Length + places[j]];
                }
            }
        );
        return gram;
    }

    private static Products AllByValues(TrainingRows data, ScalingKind scaling, bool centred, TrainingContext context)
    {
        using var prepared = PreparedRows.Of(data with { Rows = data.AllRows! }, scaling, context with { Scope = context.Scope.Root });
        var rows = prepared.Rows;
        var mean = centred ? ClassSums.Of(rows, data.ClassCount, null, context.Threads, context.Cancellation).Mean() : null;
        var gram = new double[(long)rows.Length * rows.Length];
        GramMatrix<double>.AddUpper(rows, mean, null, gram, context.Threads, context.Cancellation);
        return new(mean, gram);
    }

    /// <summary>
    /// Rows of the whole that are not trained on; null when a matrix of the part alone costs less, or rows are scaled by what is learnt
    /// from the part.
    /// </summary>
    private static int[]? HeldOut(TrainingRows data, ScalingKind scaling, long values)
    {
        if (
            data.AllRows is not { } all
            || sizeof(double) * values > MostSharedBytes
            || scaling == ScalingKind.Standard
            || data.Rows.Length > all.Length
            // Subtracting pays while fewer rows are held out than trained on.
            || 2 * data.Rows.Length <= all.Length
        )
            return null;
        var heldOut = new int[all.Length - data.Rows.Length];
        var (next, held) = (0, 0);
        // Both ascend, so one walk finds the rows held out. A row that is not of the whole stops it,
        // which shows at the end.
        foreach (var row in all)
        {
            if (next < data.Rows.Length && data.Rows[next] == row)
                next++;
            else if (held < heldOut.Length)
                heldOut[held++] = row;
        }

        return next == data.Rows.Length ? heldOut : null;
    }

    /// <summary>Gram matrices of all rows.</summary>
    private sealed class GramCache
    {
        /// <summary>D x D, by rows and whether products are around the mean.</summary>
        public OnceCache<(RowsKey Rows, bool IsCentred), Products> ByValues { get; } = new();

        /// <summary>N x N.</summary>
        public OnceCache<RowsKey, double[]> ByRows { get; } = new();
    }

    /// <param name="Mean">What products are around; null for zero.</param>
    /// <param name="Gram">D x D, upper triangle.</param>
    private sealed record Products(double[]? Mean, double[] Gram);
}
