using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>The tokens of a transformer that are none of a patch: a class token, a distillation token, registers.</summary>
/// <param name="Count">Tokens before the patches.</param>
/// <param name="Behind">Tokens behind the patches, where some networks put them.</param>
/// <param name="IsCertain">The number of patches comes from the graph's patch convolution; otherwise from the largest square.</param>
internal readonly record struct PatchTokens(int Count, int Behind, bool IsCertain)
{
    /// <summary>DINOv2 has one class token and four registers; other networks fewer.</summary>
    private const int MaxOthers = 16;

    /// <param name="tensor">The sequence.</param>
    /// <param name="tokens">Its length.</param>
    /// <returns>Null when no grid of patches fits.</returns>
    public static PatchTokens? Of(GraphIndex index, BackboneInput input, string tensor, long tokens)
    {
        var (patches, isCertain) = Patches(index, input, tokens);
        if (patches < 0)
            return null;
        var others = tokens - patches;
        // Tokens that were appended and taken away again are not there.
        var behind = Appended(index, tensor) is var appended && appended <= others ? appended : 0;
        return new((int)(others - behind), (int)behind, isCertain);
    }

    /// <summary>-1 when no grid fits.</summary>
    private static (long Count, bool IsCertain) Patches(GraphIndex index, BackboneInput input, long tokens)
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
            if (tokens >= patches && tokens - patches <= MaxOthers)
                return (patches, true);
        }

        // Without a patch convolution, the largest square is the grid; only a square photo has one.
        var side = (long)Math.Sqrt(tokens);
        return input.Height == input.Width && side > 1 && tokens - side * side <= MaxOthers ? (side * side, false) : (-1, false);
    }

    /// <summary>Learned tokens that a Concat on the way puts behind those of the photo.</summary>
    private static long Appended(GraphIndex index, string tensor)
    {
        var count = 0L;
        foreach (var node in index.Ancestors(tensor).Where(n => n.OpType == "Concat" && n.Int("axis", 0) is 1 or -2 && n.Input.Count > 1))
        {
            var learned = node.Input.Select(i => Learned(index, i)).ToList();
            // Learned tokens alone are joined before they meet the patches.
            if (learned.Contains(null))
                count += learned.Skip(learned.LastIndexOf(null) + 1).Sum(shape => shape![^2]);
        }

        return count;
    }

    /// <summary>
    /// The shape of stored tokens, seen through what repeats them for each photo of the batch; null for what depends on the photos.
    /// </summary>
    private static long[]? Learned(GraphIndex index, string tensor) =>
        index.Producer(tensor) is { OpType: "Expand" or "Tile" or "Identity" or "Cast" } node ? Learned(index, node.Input[0])
        : ConstantShape.Of(index, tensor) is [.., _, _] shape ? shape
        : null;
}
