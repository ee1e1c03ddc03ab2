using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>Writes a pooling as standard ONNX operators: from a batch-first float tensor to N x D.</summary>
internal static class PoolingWriter
{
    /// <param name="tensor">Float32, batch axis first; a map N x channels x height x width, tokens N x tokens x values.</param>
    /// <param name="shape">Its shape for one photo.</param>
    /// <param name="tokens">Tokens beside those of the patches; null when the graph does not show them.</param>
    /// <param name="what">The cut in the user's words, for messages.</param>
    /// <returns>The N x D tensor.</returns>
    /// <exception cref="UsageException">The pooling needs a map and this is none.</exception>
    public static string Write(GraphWriter graph, string tensor, long[] shape, Pooling pooling, PatchTokens? tokens, string what)
    {
        switch (pooling.Kind)
        {
            case PoolingKind.Avg or PoolingKind.Max when shape.Length == 4:
                var op = pooling.Kind == PoolingKind.Avg ? "GlobalAveragePool" : "GlobalMaxPool";
                tensor = graph.Node(op, [tensor]);
                break;
            case PoolingKind.Avg or PoolingKind.Max when shape.Length == 3:
                var reduce = pooling.Kind == PoolingKind.Avg ? "ReduceMean" : "ReduceMax";
                // Tokens are N x tokens x values; the mean is over axis 1. GraphWriter moves axes to where the opset wants them.
                tensor = graph.Node(reduce, [tensor], ("axes", new long[] { 1 }), ("keepdims", 0L));
                break;
            case PoolingKind.Adaptive:
                if (shape.Length != 4)
                    Throw.Usage(
                        $"pooling {pooling} needs a map of channels x height x width, but {what} is "
                            + $"{(shape.Length == 2 ? $"a vector of {shape[1]} values" : "of shape " + string.Join(" x ", shape))}; "
                            + $"use pooling none, or the cut 'features'"
                    );
                tensor = Adaptive(graph, tensor, shape, pooling.Height, pooling.Width);
                break;
            case PoolingKind.Cls or PoolingKind.Mean or PoolingKind.ClsMean:
                tensor = Tokens(graph, tensor, shape, pooling, tokens, what);
                break;
        }

        return graph.Node("Flatten", [tensor], ("axis", 1L));
    }

    private static string Tokens(GraphWriter graph, string tensor, long[] shape, Pooling pooling, PatchTokens? tokens, string what)
    {
        if (shape.Length != 3)
        {
            var found =
                shape.Length == 2
                    ? $"a vector of {shape[1]} values; use pooling none"
                    : $"of shape {string.Join(" x ", shape)}; use pooling avg";
            Throw.Usage($"pooling {pooling} needs tokens (photos x tokens x values), but {what} is {found}");
        }

        if (tokens is not { } known)
            throw new UsageException(
                $"pooling {pooling} needs to know which tokens are of patches, but the graph does not show it of the {shape[1]} tokens of "
                    + $"{what}; use pooling avg (all tokens), or name the tensor of the class token with --cut"
            );
        var parts = new List<string>();
        if (pooling.Kind != PoolingKind.Mean)
        {
            if (known.ClassToken is not { } place)
                throw new UsageException(
                    $"pooling {pooling} needs a class token, but {what} holds "
                        + (known.Before + known.Behind is > 0 and var others ? $"{others} registers beside those" : "no token beside those")
                        + " of the patches; use pooling mean"
                );
            parts.Add(graph.Node("Gather", [tensor, graph.Constant("class_token", [place], [])], ("axis", 1L)));
        }

        if (pooling.Kind != PoolingKind.Cls)
        {
            var (first, end) = (known.Before, shape[1] - known.Behind);
            var patches =
                first == 0 && end == shape[1]
                    ? tensor
                    // Gather has one form in all opsets.
                    : graph.Node("Gather", [tensor, graph.Constant("patches", Range(first, end), end - first)], ("axis", 1L));
            parts.Add(graph.Node("ReduceMean", [patches], ("axes", new long[] { 1 }), ("keepdims", 0L)));
        }

        return parts.Count == 1 ? parts[0] : graph.Node("Concat", [.. parts], ("axis", 1L));
    }

    private static long[] Range(long first, long end) => [.. Enumerable.Range((int)first, (int)(end - first)).Select(i => (long)i)];

    private static string Adaptive(GraphWriter graph, string map, long[] shape, int height, int width)
    {
        var (h, w) = (shape[2], shape[3]);
        if (h % height == 0 && w % width == 0)
        {
            // Bins of equal size are what AveragePool computes in one pass, without a matrix.
            var kernel = new[] { h / height, w / width };
            return graph.Node("AveragePool", [map], ("kernel_shape", kernel), ("strides", kernel));
        }

        // Bins of unequal size are two products with constant matrices: rows (height x h) * map (h x w) * columns (w x width).
        var rows = graph.Constant("adaptive_rows", Bins((int)h, height, transposed: false), height, h);
        var columns = graph.Constant("adaptive_columns", Bins((int)w, width, transposed: true), w, width);
        return graph.Node("MatMul", [graph.Node("MatMul", [rows, map]), columns]);
    }

    /// <summary>
    /// Averaging matrix of torch.nn.AdaptiveAvgPool2d: bin i covers floor(i * size / bins) to ceil((i + 1) * size / bins).
    /// </summary>
    private static float[] Bins(int size, int bins, bool transposed)
    {
        var matrix = new float[bins * size];
        for (var i = 0; i < bins; i++)
        {
            // Integer floor and ceiling, as torch computes them: bins may overlap by one position.
            var (start, end) = (i * size / bins, ((i + 1) * size + bins - 1) / bins);
            for (var j = start; j < end; j++)
                matrix[transposed ? j * bins + i : i * size + j] = 1f / (end - start);
        }

        return matrix;
    }
}
