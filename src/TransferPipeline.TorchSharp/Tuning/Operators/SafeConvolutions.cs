using TorchSharp;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Convolutions that are right on machines with <see cref="HiddenCaches"/> too.</summary>
/// <remarks>
/// oneDNN 3.7, in libtorch 2.10, reads the cache sizes of AMD's CPUs from CPUID leaf 0x8000001D alone (xbyak_util.h: setCacheHierarchy).
/// Where that is empty, it finds a cache of one byte and moves the loops of every change of layout (jit_uni_reorder.cpp:
/// prb_block_for_cache). With a block of channels that is filled in part it then sets weights to 0, and memory behind them.
/// </remarks>
internal static class SafeConvolutions
{
    /// <summary>Channels of oneDNN's largest block; most others divide it.</summary>
    private const int Block = 64;

    /// <summary>torch's conv2d without groups; oneDNN's depthwise and grouped ones are right.</summary>
    /// <param name="x">N x C x height x width.</param>
    /// <param name="w">Outputs x C x height x width.</param>
    public static Tensor Convolve(Tensor x, Tensor w, Tensor? bias, Window window) =>
        window.Kernel is [1, 1]
            ? Multiply(window.Before is [0, 0] ? x : window.Pad(x, 0), w, bias, window.Strides)
            : ConvolveFullBlocks(x, w, bias, window);

    /// <summary>torch's conv_transpose2d.</summary>
    /// <param name="w">C x outputs of a group x height x width.</param>
    /// <param name="outputPadding">Rows and columns behind the result.</param>
    public static Tensor ConvolveTransposed(Tensor x, Tensor w, Tensor? bias, Window window, long[] outputPadding, long groups)
    {
        var (inputs, made) = (w.shape[0] / groups, new Tensor[groups]);
        for (var g = 0; g < groups; g++)
            made[g] = AddWindows(x.narrow(1, g * inputs, inputs), w.narrow(0, g * inputs, inputs), window, outputPadding);
        var y = groups == 1 ? made[0] : cat(made, 1);
        return bias is null ? y : y.Plus(bias.reshape(1, -1, 1, 1));
    }

    /// <summary>Each pixel's product with the weights, added up at the places of its window.</summary>
    private static Tensor AddWindows(Tensor x, Tensor w, Window window, long[] outputPadding)
    {
        var windows = nn.functional.linear(x.flatten(2).transpose(1, 2), w.flatten(1).t()).transpose(1, 2);
        return nn.functional.fold(
            windows,
            (Size(0), Size(1)),
            Both(window.Kernel),
            Both(window.Dilations),
            Both(window.Before),
            Both(window.Strides)
        );

        long Size(int axis) =>
            (x.shape[axis + 2] - 1) * window.Strides[axis]
            - 2 * window.Before[axis]
            + window.Dilations[axis] * (window.Kernel[axis] - 1)
            + outputPadding[axis]
            + 1;

        static (long, long) Both(long[] values) => (values[0], values[1]);
    }

    /// <summary>A convolution of single pixels is a product; with a stride oneDNN's is wrong for some multiples of 64, too.</summary>
    private static Tensor Multiply(Tensor x, Tensor w, Tensor? bias, long[] strides)
    {
        for (var axis = 0; axis < 2; axis++)
            x = strides[axis] == 1 ? x : x.slice(axis + 2, 0, x.shape[axis + 2], strides[axis]);
        return nn.functional.linear(x.permute(0, 2, 3, 1), w.flatten(1), bias).permute(0, 3, 1, 2);
    }

    /// <summary>Zeros stand for the channels that fill a block; values and gradients are the same without them.</summary>
    private static Tensor ConvolveFullBlocks(Tensor x, Tensor w, Tensor? bias, Window window)
    {
        var (outputs, moreInputs, moreOutputs) = (w.shape[0], Missing(w.shape[1]), Missing(w.shape[0]));
        // libtorch lists the last axis first, and zeros before those behind.
        if (moreInputs > 0)
            x = nn.functional.pad(x, [0, 0, 0, 0, 0, moreInputs]);
        if (moreInputs + moreOutputs > 0)
            w = nn.functional.pad(w, [0, 0, 0, 0, 0, moreInputs, 0, moreOutputs]);
        if (bias is not null && moreOutputs > 0)
            bias = nn.functional.pad(bias, [0, moreOutputs]);
        var y = nn.functional.conv2d(x, w, bias, window.Strides, window.Before, window.Dilations);
        return moreOutputs > 0 ? y.narrow(1, 0, outputs) : y;
    }

    private static long Missing(long channels) => (Block - channels % Block) % Block;
}
