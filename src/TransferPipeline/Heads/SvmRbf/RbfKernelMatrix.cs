using System.Numerics.Tensors;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>exp(-gamma |x_i - x_j|^2) of all pairs of rows in float32, from one matrix product of which half is computed.</summary>
internal sealed unsafe class RbfKernelMatrix : IKernelRows, IDisposable
{
    private const int RowBlock = 64;

    private readonly FloatBuffer _values;
    private readonly int _rows;

    public RbfKernelMatrix(FeatureMatrix x, double gamma, int threads, CancellationToken cancellation)
    {
        _rows = x.Rows;
        _values = new((long)_rows * _rows);
        var squares = new float[_rows];
        Blocks.For(
            _rows,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    squares[i] = (float)ExactDistance.Dot(x.Row(i), x.Row(i));
            },
            cancellation
        );
        Blocks.For(_rows, RowBlock, threads, (_, start, end) => Lower(x, squares, (float)gamma, start, end), cancellation);
    }

    public float* Row(int row, int first) => _values.Pointer + (long)row * _rows + first;

    public void Dispose() => _values.Dispose();

    /// <summary>Rows start..end up to the diagonal block, and the same values above the diagonal.</summary>
    private void Lower(FeatureMatrix x, float[] squares, float gamma, int start, int end)
    {
        var addresses = stackalloc float*[end - start];
        fixed (float* data = x.Data)
        {
            for (var i = start; i < end; i++)
                addresses[i - start] = data + (nint)i * x.Columns;
            // Up to the end of the block on the diagonal only: the rest is mirrored.
            RowDotKernel<float>.Run(addresses, end - start, data, x.Columns, end, x.Columns, Row(start, 0), _rows);
        }

        for (var i = start; i < end; i++)
        {
            RbfKernel.FromProducts(new(Row(i, 0), end), squares.AsSpan(0, end), squares[i], gamma);
            // Rounding leaves a little of the distance to itself; the solver takes K_ii as 1.
            Row(i, 0)[i] = 1;
        }

        // No other task writes these values: a task's columns above the diagonal are its own rows.
        for (var j = 0; j < start; j++)
        {
            var to = Row(j, start);
            for (var i = start; i < end; i++)
                to[i - start] = Row(i, 0)[j];
        }

        for (var i = start; i < end; i++)
        {
            // Both sides of the block were computed, with the squares added in another order: one replaces the other.
            for (var j = i + 1; j < end; j++)
                Row(i, 0)[j] = Row(j, 0)[i];
        }
    }
}

/// <summary>The kernel's formula on rows of products.</summary>
internal static class RbfKernel
{
    /// <summary>Turns x.s_j into exp(-gamma |x - s_j|^2), in place.</summary>
    /// <param name="squares">|s_j|^2.</param>
    /// <param name="square">|x|^2.</param>
    public static void FromProducts<T>(Span<T> products, ReadOnlySpan<T> squares, T square, T gamma)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        TensorPrimitives.Multiply(products, -(T.One + T.One), products);
        TensorPrimitives.Add(products, squares, products);
        TensorPrimitives.Add(products, square, products);
        // Rounding may give a negative distance, whose exponential would exceed 1.
        TensorPrimitives.Max(products, T.Zero, products);
        TensorPrimitives.Multiply(products, -gamma, products);
        TensorPrimitives.Exp(products, products);
    }
}
