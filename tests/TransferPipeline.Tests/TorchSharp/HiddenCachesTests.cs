using TransferPipeline.Tests.TorchSharp.Tuning;
using TransferPipeline.TorchSharp;
using static TorchSharp.torch;

namespace TransferPipeline.Tests.TorchSharp;

/// <summary>libtorch's convolutions beside the same in float64, which oneDNN does not compute: on this machine they are right.</summary>
public sealed class HiddenCachesTests
{
    public HiddenCachesTests() => TunedParts.RequireTorch();

    public static TheoryData<int, int, int, int, int, bool> Cases =>
        [
            .. from channels in (ValueTuple<int, int, int>[])
                [(3, 3, 1), (3, 24, 1), (24, 40, 1), (33, 65, 1), (64, 320, 1), (24, 24, 24), (24, 48, 24), (240, 240, 3)]
            from side in (int[])[1, 3, 5]
            from stride in (int[])[1, 2]
            from isLast in (bool[])[false, true]
            select (channels.Item1, channels.Item2, channels.Item3, side, stride, isLast),
        ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convolution_OfAnyChannels_HasTheValuesAndGradientsOfFloat64(
        int inputs,
        int outputs,
        int groups,
        int side,
        int stride,
        bool isLast
    )
    {
        using var scope = NewDisposeScope();
        TorchRuntime.UseOneThread();
        long[] padding = [side / 2, side / 2];
        var x = Leaf([4, inputs, 7, 9], 1, isLast);
        var w = Leaf([outputs, inputs / groups, side, side], 2, isLast);
        var y = nn.functional.conv2d(x, w, null, [stride, stride], padding, [1, 1], groups);
        var weight = Values(y.shape, 3);
        (y * weight).sum().backward();
        var (x64, w64) = (Wide(x), Wide(w));
        var expected = nn.functional.conv2d(x64, w64, null, [stride, stride], padding, [1, 1], groups);
        (expected * weight.to(ScalarType.Float64)).sum().backward();
        AssertNear(expected, y);
        AssertNear(x64.grad!, x.grad!);
        AssertNear(w64.grad!, w.grad!);
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
