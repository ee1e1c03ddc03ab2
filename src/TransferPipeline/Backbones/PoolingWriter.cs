using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>Writes a pooling as standard ONNX operators: from a batch-first float tensor to N x D.</summary>
internal static class PoolingWriter
{
    /// <param name="tensor">Float32, batch axis first.</param>
    /// <param name="shape">Its shape for one photo.</param>
    /// <param name="what">The cut in the user's words, for messages.</param>
    /// <returns>The N x D tensor.</returns>
    /// <exception cref="UsageException">The pooling needs a map and this is none.</exception>
    public static string Write(GraphWriter graph, string tensor, long[] shape, Pooling pooling, string what)
    {
        switch (pooling.Kind)
        {
            case PoolingKind.Avg or PoolingKind.Max when shape.Length == 4:
                var op = pooling.Kind == PoolingKind.Avg ? "GlobalAveragePool" : "GlobalMaxPool";
                tensor = graph.Node(op, [ToNchw(graph, tensor, shape, out _)]);
                break;
            case PoolingKind.Avg or PoolingKind.Max when shape.Length == 3:
                var reduce = pooling.Kind == PoolingKind.Avg ? "ReduceMean" : "ReduceMax";
                tensor = graph.Node(reduce, [tensor], ("axes", new long[] { 1 }), ("keepdims", 0L));
                break;
            case PoolingKind.Adaptive:
                if (shape.Length != 4)
                    Throw.Usage($"pooling {pooling} needs a map of channels x height x width, but {what} is {(shape.Length == 2 ? $"a vector of {shape[1]} values" : "of shape " + string.Join(" x ", shape))}; use pooling none, or the cut 'features'");
                tensor = Adaptive(graph, ToNchw(graph, tensor, shape, out var map), map, pooling.Height, pooling.Width);
                break;
        }

        return graph.Node("Flatten", [tensor], ("axis", 1L));
    }

    /// <summary>True when a 4-D shape has its channels last: a square map in the middle axes and another number after it.</summary>
    public static bool ChannelsLast(long[] shape) => shape.Length == 4 && shape[1] == shape[2] && shape[3] != shape[2];

    private static string ToNchw(GraphWriter graph, string tensor, long[] shape, out long[] nchw)
    {
        nchw = shape;
        if (!ChannelsLast(shape))
            return tensor;
        nchw = [shape[0], shape[3], shape[1], shape[2]];
        return graph.Node("Transpose", [tensor], ("perm", new long[] { 0, 3, 1, 2 }));
    }

    private static string Adaptive(GraphWriter graph, string map, long[] shape, int height, int width)
    {
        var (h, w) = (shape[2], shape[3]);
        if (h % height == 0 && w % width == 0)
        {
            var kernel = new[] { h / height, w / width };
            return graph.Node("AveragePool", [map], ("kernel_shape", kernel), ("strides", kernel));
        }

        // Bins of unequal size are two products with constant matrices: rows (height x h) * map (h x w) * columns (w x width).
        var rows = graph.Constant("adaptive_rows", Bins((int)h, height, transposed: false), height, h);
        var columns = graph.Constant("adaptive_columns", Bins((int)w, width, transposed: true), w, width);
        return graph.Node("MatMul", [graph.Node("MatMul", [rows, map]), columns]);
    }

    /// <summary>Averaging matrix of torch.nn.AdaptiveAvgPool2d: bin i covers floor(i * size / bins) to ceil((i + 1) * size / bins).</summary>
    private static float[] Bins(int size, int bins, bool transposed)
    {
        var matrix = new float[bins * size];
        for (var i = 0; i < bins; i++)
        {
            var (start, end) = (i * size / bins, ((i + 1) * size + bins - 1) / bins);
            for (var j = start; j < end; j++)
                matrix[transposed ? j * bins + i : i * size + j] = 1f / (end - start);
        }

        return matrix;
    }
}
