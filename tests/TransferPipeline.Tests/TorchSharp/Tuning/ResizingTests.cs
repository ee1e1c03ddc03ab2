using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Resize in all its modes beside ONNX Runtime: the same values, or a refusal.</summary>
public sealed class ResizingTests
{
    private static readonly float[][] Factors =
    [
        [2, 2],
        [3, 1],
        [4, 2],
        [0.5f, 0.5f],
        [1.7f, 0.6f],
        [1.5f, 2.5f],
        [0.25f, 5],
    ];

    public ResizingTests() => TunedParts.RequireTorch();

    public static TheoryData<string, string, bool> Nearest
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var places in (string[])["asymmetric", "half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "align_corners"])
            {
                foreach (var nearest in (string[])["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
                {
                    data.Add(places, nearest, false);
                    data.Add(places, nearest, true);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Nearest))]
    public void Nearest_TakesTheNeighboursOfOnnxRuntime(string places, string nearest, bool bySizes)
    {
        foreach (var factors in Factors)
            AssertEqual(
                new OperatorCase(13, [4, 6, 5], (g, x) => Resize(g, x, "nearest", places, factors, bySizes, ("nearest_mode", nearest))),
                $"{string.Join(" x ", factors)}"
            );
    }

    /// <summary>Before opset 11: rounded down where the map grows, up where it shrinks.</summary>
    [Theory]
    [InlineData(9, "Upsample")]
    [InlineData(10, "Resize")]
    public void Nearest_OfOldVersions_IsThatOfOnnxRuntime(int opset, string op)
    {
        foreach (var factors in Factors.Where(f => op == "Resize" || f.All(v => v >= 1)))
            AssertEqual(
                new OperatorCase(opset, [4, 6, 5], (g, x) => g.Node(op, [x, Scales(g, factors)], ("mode", "nearest"))),
                $"{op} {string.Join(" x ", factors)}"
            );
    }

    [Theory]
    [InlineData("linear", "half_pixel", false)]
    [InlineData("linear", "half_pixel", true)]
    [InlineData("linear", "pytorch_half_pixel", false)]
    [InlineData("linear", "pytorch_half_pixel", true)]
    [InlineData("linear", "align_corners", false)]
    [InlineData("linear", "asymmetric", true)]
    [InlineData("cubic", "half_pixel", true)]
    [InlineData("cubic", "half_pixel", false)]
    [InlineData("cubic", "pytorch_half_pixel", true)]
    [InlineData("cubic", "align_corners", true)]
    public void Interpolation_IsThatOfOnnxRuntimeOrRefused(string mode, string places, bool bySizes)
    {
        var refused = 0;
        foreach (var factors in (float[][])[.. Factors, [0.2f, 0.2f], [0.17f, 2]])
        {
            var resize = new OperatorCase(17, [4, 6, 5], (g, x) => Resize(g, x, mode, places, factors, bySizes));
            try
            {
                AssertEqual(resize, $"{string.Join(" x ", factors)}");
            }
            catch (BadInputException e)
            {
                Assert.Contains($"a Resize of mode {mode} with {places}", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.Equal(places == "asymmetric", refused == Factors.Length + 2);
    }

    [Fact]
    public void Resize_OfChannels_IsRefused()
    {
        var graph = new OperatorCase(
            17,
            [4, 6, 5],
            (g, x) => g.Node("Resize", [x, "", g.Constant("scales", [1f, 2f, 1f, 1f], 4)], ("mode", "nearest"))
        ).Create();
        var error = Assert.Throws<BadInputException>(() => new TorchTuner().Open(graph, new()));
        Assert.Contains("a Resize of the number of photos or channels", error.Message, StringComparison.Ordinal);
    }

    private static void AssertEqual(OperatorCase resize, string what)
    {
        var (graph, batch) = (resize.Create(), resize.Batch());
        var expected = OnnxSession.Run(graph.Model, "cut", batch.Inputs[0].ToArray(), [OperatorCase.Photos, .. graph.Inputs[0].Shape]);
        using var part = TorchTuner.OpenPart(graph, new());
        var features = new float[expected.Length];
        part.Evaluate(batch, new float[OperatorCase.Photos * graph.Head.Classes], features);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < features.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - features[i]) <= 1e-5f * largest,
                $"{what}: value {i}: {features[i]}, expected {expected[i]}"
            );
    }

    private static string Resize(
        GraphWriter g,
        string x,
        string mode,
        string places,
        float[] factors,
        bool bySizes,
        params (string, object)[] attributes
    )
    {
        (string, object)[] all = [.. attributes, ("mode", mode), ("coordinate_transformation_mode", places)];
        if (!bySizes)
            return g.Node("Resize", [x, "", Scales(g, factors)], all);
        // The batch is that of the map itself.
        var photos = g.Node("Slice", [g.Node("Shape", [x]), Integers(g, 0), Integers(g, 1)]);
        var sizes = g.Node("Concat", [photos, Integers(g, 4, (long)(6 * factors[0]), (long)(5 * factors[1]))], ("axis", 0L));
        return g.Node("Resize", [x, "", "", sizes], all);
    }

    private static string Scales(GraphWriter g, float[] factors) => g.Constant("scales", [1f, 1f, .. factors], 4);

    private static string Integers(GraphWriter g, params long[] values) => g.Constant("integers", values, values.Length);
}
