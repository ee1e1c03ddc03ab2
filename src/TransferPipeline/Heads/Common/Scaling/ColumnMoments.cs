namespace TransferPipeline.Heads.Common;

/// <summary>Means and variances of columns, gathered from any number of blocks of rows in order.</summary>
internal sealed class ColumnMoments(int columns)
{
    /// <summary>A column whose variance is below this share of its mean square is constant but for rounding.</summary>
    private const double ConstantShare = 1e-12;

    private const int RowBlock = 512;

    private readonly double[] _sums = new double[columns];
    private readonly double[] _squares = new double[columns];

    // Shifting by the first row makes the sum of squares safe where the mean is large against the deviation.
    private float[]? _shift;
    private long _count;

    public void Add(FeatureMatrix x, int[] rows, int threads)
    {
        if (rows.Length == 0)
            return;
        var shift = _shift ??= x.Row(rows[0]).ToArray();
        var parts = new double[Blocks.Count(rows.Length, RowBlock)][];
        Blocks.For(
            rows.Length,
            RowBlock,
            threads,
            (block, start, end) =>
            {
                var part = new double[2 * columns];
                for (var i = start; i < end; i++)
                {
                    var row = x.Row(rows[i]);
                    for (var d = 0; d < columns; d++)
                    {
                        var value = (double)row[d] - shift[d];
                        part[d] += value;
                        part[columns + d] += value * value;
                    }
                }

                parts[block] = part;
            }
        );
        _count += rows.Length;
        // In the order of the blocks, whichever thread made them: results do not depend on the number of threads.
        foreach (var part in parts)
        {
            for (var d = 0; d < columns; d++)
                (_sums[d], _squares[d]) = (_sums[d] + part[d], _squares[d] + part[columns + d]);
        }
    }

    /// <summary>scikit-learn's StandardScaler of all rows added: population deviation, 1 for constant columns.</summary>
    public FeatureScaling ToScaling()
    {
        var (mean, scale) = (new float[columns], new float[columns]);
        for (var d = 0; d < columns; d++)
        {
            var offset = _sums[d] / _count;
            // E[(x - s)^2] - E[x - s]^2 is the variance for every shift s; only the mean needs the shift back.
            var variance = _squares[d] / _count - offset * offset;
            var centre = offset + _shift![d];
            mean[d] = (float)centre;
            scale[d] = variance > ConstantShare * (centre * centre + variance) && variance > 0 ? (float)Math.Sqrt(variance) : 1;
        }

        return FeatureScaling.Standard(mean, scale);
    }
}
