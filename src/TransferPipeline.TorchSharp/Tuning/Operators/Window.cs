using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>What a convolution or pooling window covers, on two axes.</summary>
/// <param name="Before">Padding at the top and left.</param>
/// <param name="After">Padding at the bottom and right.</param>
internal sealed record Window(long[] Kernel, long[] Strides, long[] Dilations, long[] Before, long[] After)
{
    public bool IsEven => Before.AsSpan().SequenceEqual(After);

    /// <param name="shape">N x C x height x width.</param>
    /// <param name="isLine">The node has one axis, the second of the two.</param>
    public static Window Of(OperatorCall call, long[] shape, long[] kernel, bool isLine)
    {
        var strides = Both(call.Ints("strides"), 1);
        var dilations = Both(call.Ints("dilations"), 1);
        var pads = call.Ints("pads") ?? new long[isLine ? 2 : 4];
        var before = Both(pads[..(pads.Length / 2)], 0);
        var after = Both(pads[(pads.Length / 2)..], 0);
        var auto = call.Text("auto_pad", "NOTSET");
        if (auto is "SAME_UPPER" or "SAME_LOWER")
        {
            for (var axis = 0; axis < 2; axis++)
            {
                var size = shape[axis + 2];
                // ONNX wants ceil(size / stride) windows; this is where the last one ends.
                var covered = ((size + strides[axis] - 1) / strides[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
                var all = Math.Max(0, covered - size);
                // An odd pixel of padding goes to the end with SAME_UPPER, to the start with SAME_LOWER.
                before[axis] = auto == "SAME_UPPER" ? all / 2 : (all + 1) / 2;
                after[axis] = all - before[axis];
            }
        }
        else if (auto == "VALID")
        {
            (before, after) = ([0, 0], [0, 0]);
        }

        return new(kernel, strides, dilations, before, after);

        long[] Both(long[]? values, long absent) =>
            values is null ? [absent, absent]
            : isLine ? [absent, values[0]]
            : [.. values];
    }

    /// <summary>The same window over a tensor that has been padded.</summary>
    public Window Unpadded => this with { Before = [0, 0], After = [0, 0] };

    /// <summary>The tensor with its padding.</summary>
    public Tensor Pad(Tensor x, double value) =>
        // libtorch lists the last axis first.
        nn.functional.pad(x, [Before[1], After[1], Before[0], After[0]], value: value);

    /// <summary>
    /// The window padded, or cut, at the end to what its last places cover. Rounded up, a last place must begin before the padding at the
    /// end, which libtorch does not know from the values once they are padded.
    /// </summary>
    /// <param name="shape">N x C x height x width.</param>
    /// <param name="ceil">The number of places is rounded up.</param>
    public Window Covering(long[] shape, bool ceil)
    {
        var after = new long[2];
        for (var axis = 0; axis < 2; axis++)
        {
            var (size, covers) = (shape[axis + 2], (Kernel[axis] - 1) * Dilations[axis] + 1);
            var room = size + Before[axis] + After[axis] - covers;
            var steps = (ceil ? room + Strides[axis] - 1 : room) / Strides[axis];
            if (ceil && steps * Strides[axis] >= size + Before[axis])
                steps--;
            after[axis] = steps * Strides[axis] + covers - size - Before[axis];
        }

        return this with
        {
            After = after,
        };
    }
}
