using TransferPipeline.Backbones;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Which tokens are of patches, and which is the class token: 9 patches of 8 values, joined as networks do it.</summary>
public sealed class PatchTokensTests : IDisposable
{
    private const int Patches = 9;
    private const int Values = 8;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <param name="first">Place of the first patch.</param>
    /// <param name="classToken">Place of the class token, -1 where there is none.</param>
    /// <param name="patches">Number of patches.</param>
    [Theory]
    [InlineData("nothing", 0, -1)]
    [InlineData("nothing, without a convolution", 0, -1)]
    [InlineData("a class token", 1, 0)]
    [InlineData("a class token, without a convolution", 1, 0)]
    [InlineData("a class token, tokens before photos", 1, 0)]
    [InlineData("a class token behind", 0, 9)]
    [InlineData("a class token behind, without a convolution", 0, 9)]
    [InlineData("a class token and two registers behind", 1, 0)]
    [InlineData("a class and a distillation token", 2, 0)]
    [InlineData("four registers alone", 4, -1)]
    [InlineData("four registers behind", 0, -1)]
    [InlineData("a class token, then four registers behind it", 5, 0)]
    [InlineData("a class token and registers that are taken away again", 1, 0)]
    [InlineData("a class token that is taken away again", 0, -1)]
    [InlineData("a class token that is moved to the end", 0, 9)]
    [InlineData("two tokens that Split takes away", 0, -1)]
    [InlineData("a class token and some patches, by Gather", 1, 0, 5)]
    [InlineData("a class token beside pooled patches", 1, 0, 4)]
    [InlineData("a class token joined again in each block", 1, 0)]
    [InlineData("the mean of all patches", 1, 0)]
    [InlineData("shifted patches", 0, -1)]
    public void Cut_TokensBesidePatches_AreThoseThatTheGraphJoins(string form, int first, int classToken, int patches = Patches)
    {
        var (backbone, all, tensor, pixels) = Open(form);
        var token = classToken < 0 ? [] : all.AsSpan(classToken * Values, Values).ToArray();
        float[] mean = [.. Enumerable.Range(0, Values).Select(d => Enumerable.Range(first, patches).Average(t => all[t * Values + d]))];
        AssertVectors("mean", mean);
        if (classToken >= 0)
        {
            AssertVectors("cls", token);
            AssertVectors("cls+mean", [.. token, .. mean]);
            return;
        }

        foreach (var pooling in (string[])["cls", "cls+mean"])
        {
            var error = Assert.Throws<UsageException>(() => backbone.Cut(new CutRequest(tensor, Pooling.Parse(pooling))));
            Assert.Contains("needs a class token, but", error.Message);
            Assert.Contains("use pooling mean", error.Message);
        }

        void AssertVectors(string pooling, float[] expected) =>
            SmallModel.AssertClose(expected, SmallModel.RunCut(backbone.Cut(new CutRequest(tensor, Pooling.Parse(pooling))), pixels, 1));
    }

    [Theory]
    [InlineData("a class token by Pad")]
    [InlineData("a class token by ScatterND")]
    [InlineData("a grid of no square, without a convolution")]
    public void Cut_TokensThatTheGraphDoesNotShow_AreRefused(string form)
    {
        var (backbone, _, tensor, _) = Open(form);
        foreach (var pooling in (string[])["cls", "mean", "cls+mean"])
        {
            var error = Assert.Throws<UsageException>(() => backbone.Cut(new CutRequest(tensor, Pooling.Parse(pooling))));
            Assert.Contains("the graph does not show it of the ", error.Message);
            Assert.Contains("use pooling avg (all tokens), or name the tensor of the class token with --cut", error.Message);
        }

        Assert.Equal(Values, backbone.Cut(new CutRequest(tensor, Pooling.Parse("avg"))).Outputs[0].Dimension);
    }

    private (Backbone Backbone, float[] Tokens, string Tensor, float[] Pixels) Open(string form)
    {
        var isWide = form.StartsWith("a grid of no square", StringComparison.Ordinal);
        long[] size = isWide ? [12, 24] : [SmallModel.Size, SmallModel.Size];
        var m = isWide ? new SmallModel(shape: [-1, 3, .. size]) : new SmallModel();
        var patches = form.Contains("without a convolution", StringComparison.Ordinal) ? Unfolded(m, size) : Convolved(m);
        var tokens = m.Node("Softmax", [Joined(m, form.Split(", without")[0], patches)], ("axis", 2L));
        var pixels = Probe.Pixels([1, 3, .. size]);
        var (all, shape) = m.RunFull(tokens, pixels, [1, 3, .. size]);
        return (Backbone.Open(m.Output(tokens, -1, shape[1], Values).Save(_folder)), all, tokens, pixels);
    }

    private static string Joined(SmallModel m, string form, string patches) =>
        form switch
        {
            "a class token" => Join(m, Learned(m, patches, 1), patches),
            "a class token, tokens before photos" => Turn(m, TokensFirst(m, Turn(m, patches))),
            "a class token behind" => Join(m, patches, Learned(m, patches, 1)),
            "a class token and two registers behind" => Join(m, Learned(m, patches, 1), patches, Learned(m, patches, 2)),
            "a class and a distillation token" => Join(m, Learned(m, patches, 1), Learned(m, patches, 1), patches),
            "four registers alone" => Join(m, Learned(m, patches, 4), patches),
            "four registers behind" => Join(m, patches, Learned(m, patches, 4)),
            "a class token, then four registers behind it" => WithRegisters(m, patches),
            "a class token and registers that are taken away again" => Range(
                m,
                Attend(m, Join(m, Learned(m, patches, 1), patches, Learned(m, patches, 2))),
                0,
                Patches + 1
            ),
            "a class token that is taken away again" => Range(m, Attend(m, Join(m, Learned(m, patches, 1), patches)), 1, Patches + 1),
            "two tokens that Split takes away" => m.Graph.Nodes(
                "Split",
                "",
                2,
                [Attend(m, Join(m, Learned(m, patches, 1), Learned(m, patches, 1), patches)), m.Shape(2, Patches)],
                ("axis", 1L)
            )[1],
            "a class token and some patches, by Gather" => m.Node(
                "Gather",
                [Attend(m, Join(m, Learned(m, patches, 1), patches)), m.Shape(0, 1, 2, 3, 4, 5)],
                ("axis", 1L)
            ),
            "a class token that is moved to the end" => Moved(m, Attend(m, Join(m, Learned(m, patches, 1), patches))),
            "a class token beside pooled patches" => Pooled(m, Attend(m, Join(m, Learned(m, patches, 1), patches))),
            "a class token joined again in each block" => Join(
                m,
                Range(m, Attend(m, Join(m, Range(m, Attend(m, Join(m, Learned(m, patches, 1), patches)), 0, 1), patches)), 0, 1),
                patches
            ),
            "the mean of all patches" => Join(m, m.Node("ReduceMean", [patches], ("axes", new long[] { 1 })), patches),
            "shifted patches" => Join(m, Range(m, patches, 1, Patches), Range(m, patches, 0, 1)),
            "a class token by Pad" => m.Node("Pad", patches, m.Shape(0, 1, 0, 0, 0, 0)),
            "a class token by ScatterND" => Scattered(m, patches),
            _ => patches,
        };

    private static string Convolved(SmallModel m)
    {
        var map = m.Node("Conv", [m.Input, m.Weights(0.3f, Values, 3, 4, 4)], ("strides", new long[] { 4, 4 }));
        return m.Node("Transpose", [m.Node("Reshape", map, m.Shape(0, Values, -1))], ("perm", new long[] { 0, 2, 1 }));
    }

    /// <summary>Patches as einops cuts them, then a matrix product.</summary>
    private static string Unfolded(SmallModel m, long[] size)
    {
        var split = m.Node("Reshape", m.Input, m.Shape(-1, 3, size[0] / 4, 4, size[1] / 4, 4));
        var turned = m.Node("Transpose", [split], ("perm", new long[] { 0, 2, 4, 3, 5, 1 }));
        return m.Node("MatMul", m.Node("Reshape", turned, m.Shape(-1, size[0] / 4 * size[1] / 4, 48)), m.Weights(0.3f, 48, Values));
    }

    private static string Learned(SmallModel m, string like, int count)
    {
        var photos = m.Node("Slice", m.Node("Shape", like), m.Shape(0), m.Shape(1));
        return m.Node("Expand", m.Weights(1, 1, count, Values), m.Node("Concat", [photos, m.Shape(1, 1)], ("axis", 0L)));
    }

    /// <summary>Attention without heads, so that every token depends on every other.</summary>
    private static string Attend(SmallModel m, string x)
    {
        var scores = m.Node("Softmax", [m.Node("MatMul", x, m.Node("Transpose", [x], ("perm", new long[] { 0, 2, 1 })))], ("axis", -1L));
        return m.Node("Add", x, m.Node("MatMul", m.Node("MatMul", scores, x), m.Weights(0.5f, Values, Values)));
    }

    private static string TokensFirst(SmallModel m, string patches) => m.Node("Concat", [TokenOfEach(m, patches), patches], ("axis", 0L));

    /// <summary>One learned token for each photo, where tokens stand before photos.</summary>
    private static string TokenOfEach(SmallModel m, string like)
    {
        var photos = m.Node("Slice", m.Node("Shape", like), m.Shape(1), m.Shape(2));
        return m.Node("Expand", m.Weights(1, 1, 1, Values), m.Node("Concat", [m.Shape(1), photos, m.Shape(1)], ("axis", 0L)));
    }

    private static string WithRegisters(SmallModel m, string patches)
    {
        var tokens = m.Node("Add", Join(m, Learned(m, patches, 1), patches), m.Weights(0.3f, 1, Patches + 1, Values));
        return Attend(m, Join(m, Range(m, tokens, 0, 1), Learned(m, patches, 4), Range(m, tokens, 1, Patches + 1)));
    }

    private static string Moved(SmallModel m, string tokens) => Join(m, Range(m, tokens, 1, Patches + 1), Range(m, tokens, 0, 1));

    /// <summary>Between two stages the map is made smaller, and the class token passes a layer of its own.</summary>
    private static string Pooled(SmallModel m, string tokens)
    {
        var turned = m.Node("Transpose", [Range(m, tokens, 1, Patches + 1)], ("perm", new long[] { 0, 2, 1 }));
        var map = m.Node("MaxPool", [m.Node("Reshape", turned, m.Shape(0, Values, 3, 3))], ("kernel_shape", new long[] { 2, 2 }));
        var patches = m.Node("Transpose", [m.Node("Reshape", map, m.Shape(0, Values, 4))], ("perm", new long[] { 0, 2, 1 }));
        return Join(m, m.Node("MatMul", Range(m, tokens, 0, 1), m.Weights(0.5f, Values, Values)), patches);
    }

    private static string Scattered(SmallModel m, string patches)
    {
        var turned = Turn(m, m.Node("Pad", patches, m.Shape(0, 1, 0, 0, 0, 0)));
        return Turn(m, m.Node("ScatterND", turned, m.Graph.Constant("place", [0L], 1, 1), TokenOfEach(m, turned)));
    }

    private static string Join(SmallModel m, params string[] parts) => m.Node("Concat", parts, ("axis", 1L));

    private static string Range(SmallModel m, string x, long start, long end) =>
        m.Node("Slice", x, m.Shape(start), m.Shape(end), m.Shape(1));

    private static string Turn(SmallModel m, string x) => m.Node("Transpose", [x], ("perm", new long[] { 1, 0, 2 }));
}
