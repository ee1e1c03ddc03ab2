using TorchSharp;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>
/// Convolutions with as many channels as fill the blocks that oneDNN computes on, for machines with <see cref="HiddenCaches"/>.
/// </summary>
/// <remarks>
/// oneDNN 3.7, in libtorch 2.10, reads the cache sizes of AMD's CPUs from CPUID leaf 0x8000001D alone (xbyak_util.h: setCacheHierarchy).
/// Where that is empty, it finds a cache of one byte and moves the loops of every change of layout (jit_uni_reorder.cpp:
/// prb_block_for_cache). With a block that is filled in part it then sets weights to 0, and memory behind them.
/// </remarks>
internal static class FullBlocks
{
    /// <summary>Channels of the largest block; the others, of 8, 16 and 32, divide it.</summary>
    private const int Size = 64;

    /// <summary>torch's conv2d. Zeros stand for the channels that are missing; values and gradients are the same without them.</summary>
    /// <param name="x">N x C x height x width.</param>
    /// <param name="w">Outputs x C x height x width.</param>
    public static Tensor Convolve(Tensor x, Tensor w, Tensor? bias, Window window)
    {
        var outputs = w.shape[0];
        (x, w, bias) = Fill(x, w, bias, inputs: 1);
        return nn.functional.conv2d(x, w, bias, window.Strides, window.Before, window.Dilations).narrow(1, 0, outputs);
    }

    /// <summary>torch's conv_transpose2d, as <see cref="Convolve"/>.</summary>
    /// <param name="w">C x outputs x height x width.</param>
    /// <param name="outputPadding">Rows and columns behind the result.</param>
    public static Tensor ConvolveTransposed(Tensor x, Tensor w, Tensor? bias, Window window, long[] outputPadding)
    {
        var outputs = w.shape[1];
        (x, w, bias) = Fill(x, w, bias, inputs: 0);
        return nn
            .functional.conv_transpose2d(x, w, bias, window.Strides, window.Before, outputPadding, window.Dilations)
            .narrow(1, 0, outputs);
    }

    /// <param name="inputs">Axis of the weights that runs over x's channels; the outputs' is the other of the first two.</param>
    private static (Tensor X, Tensor W, Tensor? Bias) Fill(Tensor x, Tensor w, Tensor? bias, int inputs)
    {
        var (moreInputs, moreOutputs) = (Missing(w.shape[inputs]), Missing(w.shape[1 - inputs]));
        var (first, second) = inputs == 0 ? (moreInputs, moreOutputs) : (moreOutputs, moreInputs);
        // libtorch lists the last axis first, and zeros before those behind.
        return (
            moreInputs > 0 ? nn.functional.pad(x, [0, 0, 0, 0, 0, moreInputs]) : x,
            first + second > 0 ? nn.functional.pad(w, [0, 0, 0, 0, 0, second, 0, first]) : w,
            bias is not null && moreOutputs > 0 ? nn.functional.pad(bias, [0, moreOutputs]) : bias
        );
    }

    private static long Missing(long channels) => (Size - channels % Size) % Size;
}
