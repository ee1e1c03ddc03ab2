using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>The tokens of a transformer that are none of a patch: a class token, a distillation token, registers.</summary>
/// <param name="Before">Tokens before the patches.</param>
/// <param name="Behind">Tokens behind the patches, where some networks put them.</param>
/// <param name="ClassToken">Place of the class token; null where none can be told from registers, or there is none.</param>
internal readonly record struct PatchTokens(long Before, long Behind, long? ClassToken)
{
    /// <summary>DINOv2 has one class token and four registers; other networks fewer.</summary>
    private const int MaxOthers = 16;

    /// <param name="tensor">The sequence.</param>
    /// <param name="tokens">Its length.</param>
    /// <returns>Null when the graph does not show which tokens are of patches.</returns>
    public static PatchTokens? Of(string file, ModelProto model, GraphIndex index, BackboneInput input, string tensor, long tokens)
    {
        var joins = TokenJoins.Find(file, model, index, input, tensor);
        if (joins.Parts(tensor, tokens) is not { } parts)
            return null;
        var patches = parts.FindIndex(p => p.IsPatches);
        if (patches < 0)
            return null;
        // 1. Nothing is joined with the photo's tokens: they are of patches, if a grid of patches has as many.
        if (parts.Count == 1)
            return HasGridOf(index, input, tokens) ? new(0, 0, null) : null;
        // 2. What stands before and behind the patches.
        var (before, behind) = (parts[..patches], parts[(patches + 1)..]);
        // 3. A class token is joined as one; tokens that are joined together are registers.
        long? classToken =
            before.Count > 0 ? (before[0].Length == 1 ? 0 : null)
            : behind is [{ Length: 1 }] ? tokens - 1
            : null;
        return new(before.Sum(p => p.Length), behind.Sum(p => p.Length), classToken);
    }

    private static bool HasGridOf(GraphIndex index, BackboneInput input, long tokens)
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
            // Few tokens more than patches came in a way that is not known here.
            if (tokens >= patches && tokens - patches <= MaxOthers)
                return tokens == patches;
        }

        // Without a patch convolution, a square is a grid; only a square photo has one.
        var side = (long)Math.Sqrt(tokens);
        return input.Height == input.Width && side > 1 && tokens == side * side;
    }
}
