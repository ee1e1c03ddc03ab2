using TorchSharp;
using TransferPipeline.TorchSharp.Tuning.Operators;
using static TorchSharp.torch;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Convolutions whose channels do not fill oneDNN's blocks, beside the same in float64, which oneDNN does not compute.</summary>
public sealed class SafeConvolutionsTests
{
    public SafeConvolutionsTests() => TunedParts.RequireTorch();

    public static TheoryData<int, int, int, int, bool> Cases =>
        [
            .. from channels in (ValueTuple<int, int>[])[(3, 3), (3, 24), (24, 16), (16, 24), (24, 40), (33, 65), (16, 32), (64, 320)]
            from side in (int[])[1, 3, 5]
            from stride in (int[])[1, 2]
            from isLast in (bool[])[false, true]
            select (channels.Item1, channels.Item2, side, stride, isLast),
        ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convolve_AnyChannels_GivesTheValuesAndGradientsOfFloat64(int inputs, int outputs, int side, int stride, bool isLast)
    {
        using var scope = NewDisposeScope();
        var window = Square(side, stride);
        Compare(
            Leaf([4, inputs, 7, 9], 1, isLast),
            Leaf([outputs, inputs, side, side], 2, isLast),
            Leaf([outputs], 3, false),
            (x, w, bias) => SafeConvolutions.Convolve(x, w, bias, window),
            (x, w, bias) => nn.functional.conv2d(x, w, bias, window.Strides, window.Before)
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ConvolveTransposed_AnyChannels_GivesTheValuesAndGradientsOfFloat64(
        int inputs,
        int outputs,
        int side,
        int stride,
        bool isLast
    )
    {
        using var scope = NewDisposeScope();
        var window = Square(side, stride);
        long[] padding = [stride - 1, 0];
        Compare(
            Leaf([4, inputs, 7, 9], 1, isLast),
            Leaf([inputs, outputs, side, side], 2, isLast),
            Leaf([outputs], 3, false),
            (x, w, bias) => SafeConvolutions.ConvolveTransposed(x, w, bias, window, padding, 1),
            (x, w, bias) => nn.functional.conv_transpose2d(x, w, bias, window.Strides, window.Before, padding)
        );
    }

    [Fact]
    public void ConvolveTransposed_InGroups_GivesTheValuesAndGradientsOfFloat64()
    {
        using var scope = NewDisposeScope();
        var window = Square(3, 2);
        Compare(
            Leaf([4, 12, 7, 9], 1, false),
            Leaf([12, 5, 3, 3], 2, false),
            Leaf([15], 3, false),
            (x, w, bias) => SafeConvolutions.ConvolveTransposed(x, w, bias, window, [1, 0], 3),
            (x, w, bias) => nn.functional.conv_transpose2d(x, w, bias, window.Strides, window.Before, [1, 0], groups: 3)
        );
    }

    [Fact]
    public void Convolve_WithoutBias_GivesTheValuesOfFloat64()
    {
        using var scope = NewDisposeScope();
        var (x, w, window) = (Leaf([2, 5, 6, 6], 1, false), Leaf([7, 5, 3, 3], 2, false), Square(3, 1));
        AssertNear(
            nn.functional.conv2d(Wide(x), Wide(w), null, window.Strides, window.Before),
            SafeConvolutions.Convolve(x, w, null, window)
        );
    }

    private static Window Square(int side, int stride) =>
        new([side, side], [stride, stride], [1, 1], [side / 2, side / 2], [side / 2, side / 2]);

    private static void Compare(
        Tensor x,
        Tensor w,
        Tensor bias,
        Func<Tensor, Tensor, Tensor, Tensor> function,
        Func<Tensor, Tensor, Tensor, Tensor> exact
    )
    {
        TransferPipeline.TorchSharp.TorchRuntime.UseOneThread();
        var y = function(x, w, bias);
        var weight = Values(y.shape, 4);
        (y * weight).sum().backward();
        var (x64, w64, bias64) = (Wide(x), Wide(w), Wide(bias));
        var expected = exact(x64, w64, bias64);
        Assert.Equal(expected.shape, y.shape);
        (expected * weight.to(ScalarType.Float64)).sum().backward();
        AssertNear(expected, y);
        AssertNear(x64.grad!, x.grad!);
        AssertNear(w64.grad!, w.grad!);
        AssertNear(bias64.grad!, bias.grad!);
    }

    private static void AssertNear(Tensor expected, Tensor actual)
    {
        var difference = (actual.to(ScalarType.Float64) - expected).abs().max().item<double>();
        Assert.InRange(difference, 0, 1e-5 * expected.abs().max().item<double>());
    }

    private static Tensor Wide(Tensor tensor) => tensor.detach().to(ScalarType.Float64).requires_grad_(true);

    private static Tensor Leaf(long[] shape, int part, bool isLast)
    {
        var made = Values(shape, part);
        if (isLast)
            made = made.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        return made.requires_grad_(true);
    }

    private static Tensor Values(long[] shape, int part) =>
        tensor(OperatorCase.Values((int)shape.Aggregate(1L, (a, b) => a * b), part), shape);
}
