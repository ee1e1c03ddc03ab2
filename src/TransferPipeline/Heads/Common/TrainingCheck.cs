using System.Diagnostics.CodeAnalysis;
using System.Numerics.Tensors;

namespace TransferPipeline.Heads.Common;

/// <summary>Checks that every head makes before it trains, and some before they score.</summary>
internal static class TrainingCheck
{
    private const int RowBlock = 512;

    /// <summary>Rows of each class.</summary>
    /// <exception cref="BadInputException">NaN or infinity (row named), one class only, a class without rows, a label out of
    /// range.</exception>
    public static int[] Counts(TrainingRows data, TrainingContext context)
    {
        var counts = new int[data.ClassCount];
        foreach (var row in data.Rows)
        {
            var label = data.Y[row];
            if (label < 0 || label >= data.ClassCount)
                Throw.BadInput($"row {row} has class {label}, expected 0 to {data.ClassCount - 1}");
            counts[label]++;
        }

        Classes(counts);
        // Heads and sweeps of a comparison train on the same rows: the values are read once for all of them.
        context.Scope.Cache<CheckedRows>().Require(data, context);
        return counts;
    }

    /// <summary>At least two classes, each with a row.</summary>
    public static void Classes(int[] counts)
    {
        if (counts.Length < 2)
            Throw.BadInput($"found {counts.Length} class in the training rows, expected at least two");
        var empty = Array.IndexOf(counts, 0);
        if (empty >= 0)
            Throw.BadInput($"class {empty} has no training row; add rows of it or leave the class out");
    }

    /// <summary>Refuses rows with values that no head can be trained on.</summary>
    /// <param name="nameOf">What messages call a row.</param>
    public static void Finite(FeatureMatrix x, int[] rows, Func<int, string> nameOf, TrainingContext context)
    {
        var bad = new int[Blocks.Count(rows.Length, RowBlock)];
        Blocks.For(
            rows.Length,
            RowBlock,
            context.Threads,
            (block, start, end) =>
            {
                bad[block] = -1;
                for (var i = start; i < end; i++)
                {
                    // Every head squares values somewhere: the largest would be infinite there.
                    if (float.IsFinite(TensorPrimitives.SumOfSquares<float>(x.Row(rows[i]))))
                        continue;
                    bad[block] = i;
                    return;
                }
            },
            context.Cancellation
        );
        // The first bad row is named, whichever thread was the first to find one.
        var found = Array.FindIndex(bad, i => i >= 0);
        if (found >= 0)
            Refuse(x.Row(rows[bad[found]]), nameOf(rows[bad[found]]));
    }

    /// <summary>Refuses a row with NaN or infinity, for heads whose scores would not show it.</summary>
    public static void Numbers(FeatureMatrix x, int row)
    {
        if (!TensorPrimitives.IsFiniteAll<float>(x.Row(row)))
            Refuse(x.Row(row), $"row {row}");
    }

    /// <summary>Refuses a vector that has NaN or infinity, or whose values are too large.</summary>
    /// <param name="name">What the message calls the row.</param>
    [DoesNotReturn]
    public static void Refuse(ReadOnlySpan<float> values, string name)
    {
        var column = 0;
        while (column < values.Length - 1 && float.IsFinite(values[column]))
            column++;
        // Every value may be finite: then the sum of their squares is not.
        if (float.IsFinite(values[column]))
            Throw.BadInput(
                $"the vector of {name} has values whose squares are too large for float32, the largest "
                    + $"{Math.Abs(TensorPrimitives.MaxMagnitude<float>(values)):0.0e+0}; divide the vectors first"
            );
        Throw.BadInput(
            $"the vector of {name} has {(float.IsNaN(values[column]) ? "NaN" : "infinity")} at position {column}; extract "
                + $"that photo again or leave it out"
        );
    }

    /// <summary>The sets of rows that were found to be finite.</summary>
    private sealed class CheckedRows
    {
        private readonly OnceCache<RowsKey, bool> _checked = new();

        public void Require(TrainingRows data, TrainingContext context) =>
            _checked.Get(
                new(data.X, data.Rows),
                () =>
                {
                    Finite(data.X, data.Rows, static row => $"row {row}", context);
                    return true;
                }
            );
    }
}
