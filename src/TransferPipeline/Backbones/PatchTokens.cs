using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>How many tokens of a transformer stand before those of the patches: a class token, a distillation token, registers.</summary>
/// <param name="Count">Tokens before the patches.</param>
/// <param name="IsCertain">The number of patches comes from the graph's patch convolution; otherwise from the largest square.</param>
internal readonly record struct PatchTokens(int Count, bool IsCertain)
{
    /// <summary>DINOv2 has one class token and four registers; other networks fewer.</summary>
    private const int MaxPrefix = 16;

    /// <param name="tokens">Length of the sequence.</param>
    /// <returns>Null when no grid of patches fits.</returns>
    public static PatchTokens? Before(GraphIndex index, BackboneInput input, long tokens)
    {
        foreach (var conv in index.Graph.Node.Where(n => n.OpType is "Conv" or "ConvInteger" or "QLinearConv" && index.Depends(n.Input[0])))
        {
            // A patch embedding: the kernel is the stride.
            if (conv.Ints("strides") is not [> 1 and var down, > 1 and var right] || (conv.Ints("pads") ?? []).Any(p => p != 0))
                continue;
            var kernel =
                conv.Ints("kernel_shape")
                ?? (ConstantShape.Of(index, conv.Input[conv.OpType == "QLinearConv" ? 3 : 1]) is [_, _, var h, var w] ? [h, w] : []);
            if (!kernel.SequenceEqual([down, right]))
                continue;
            // Integer division: a convolution without padding drops what does not fill a patch.
            var patches = (long)(input.Height / down) * (input.Width / right);
            if (tokens >= patches && tokens - patches <= MaxPrefix)
                return new((int)(tokens - patches), true);
        }

        // Without a patch convolution, the largest square is the grid; only a square photo has one.
        var side = (long)Math.Sqrt(tokens);
        return input.Height == input.Width && side > 1 && tokens - side * side <= MaxPrefix
            ? new((int)(tokens - side * side), false)
            : null;
    }
}
