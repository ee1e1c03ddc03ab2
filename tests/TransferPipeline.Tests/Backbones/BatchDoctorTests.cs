using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Graphs whose exporter fixed the batch, each in one of the ways in which it gets baked in.</summary>
public sealed class BatchDoctorTests : IDisposable
{
    private const int Photos = 3;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Cut_FixedInputOnly_IsFreed(int batch)
    {
        var m = Model(batch);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertFreed(m, feature, batch);
    }

    /// <summary>Several photos at once may give what each gives alone on a trial, and not on the user's.</summary>
    [Theory]
    [InlineData("an If on the pixels", -1, "'If' (If) decides by the pixels of all photos of a batch together")]
    [InlineData("an If on the pixels", 2, "'If' (If) decides by the pixels of all photos of a batch together")]
    [InlineData("an If on the shape", -1, null)]
    [InlineData("limits of the batch", -1, "photos at once differ from one by one")]
    public void Cut_WhatDependsOnTheWholeBatch_RunsOneByOne(string form, int batch, string? expected)
    {
        var m = Model(batch);
        var map = m.Body(m.Input);
        string Both(string condition)
        {
            var made = m.Node("If", condition);
            foreach (var (name, op) in ((string, string)[])[("then_branch", "Identity"), ("else_branch", "Neg")])
                m.Model.Graph.Node[^1]
                    .Attribute.Add(
                        new AttributeProto
                        {
                            Name = name,
                            G = Branch(op, map),
                            Type = AttributeProto.Types.AttributeType.Graph,
                        }
                    );
            return made;
        }

        map = form switch
        {
            "an If on the pixels" => Both(m.Node("Greater", m.Node("ReduceMean", [m.Input], ("keepdims", 0L)), m.Scalar(0.5f))),
            "an If on the shape" => Both(
                m.Node(
                    "Equal",
                    m.Node("Gather", m.Node("Shape", m.Input), m.Graph.Constant("h", [2L], [])),
                    m.Graph.Constant("s", [12L], [])
                )
            ),
            _ => m.Node("Div", map, m.Node("ReduceMax", [map], ("keepdims", 0L))),
        };
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.Equal(expected is null ? null : 1, cut.MaxBatch);
        if (expected is not null)
            Assert.Contains(expected, cut.BatchMessage);
    }

    private static GraphProto Branch(string op, string input)
    {
        var graph = new GraphProto { Name = op };
        var node = new NodeProto { OpType = op };
        node.Input.Add(input);
        node.Output.Add($"{op}_made");
        graph.Node.Add(node);
        graph.Output.Add(
            new ValueInfoProto
            {
                Name = $"{op}_made",
                Type = new() { TensorType = new() { ElemType = (int)DataType.Float } },
            }
        );
        return graph;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Cut_BakedReshape_IsFreed(int batch)
    {
        var m = Model(batch);
        var feature = m.Node("Reshape", m.Node("GlobalAveragePool", m.Body(m.Input)), m.Shape(batch, 8));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertFreed(m, feature, batch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Cut_ClassTokenOfTheFixedBatch_IsFreed(int batch)
    {
        // The token was expanded to the batch when it was exported, and sits in the file as a constant.
        var m = Model(batch);
        var patches = m.Node("Transpose", [m.Node("Reshape", m.Body(m.Input), m.Shape(batch, 8, 9))], ("perm", new long[] { 0, 2, 1 }));
        var token = m.Random(1, 8);
        var tokens = m.Node(
            "Concat",
            [m.Graph.Constant("token", Enumerable.Repeat(token, batch).SelectMany(t => t).ToArray(), batch, 1, 8), patches],
            ("axis", 1L)
        );
        var mixed = m.Node("Add", tokens, m.Node("ReduceMean", [tokens], ("axes", new long[] { 1 })));
        var feature = m.Node("Gather", [mixed, m.Graph.Constant("first", [0L], [])], ("axis", 1L));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertFreed(m, feature, batch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Cut_AttentionInSequenceFirstOrder_IsFreed(int batch)
    {
        // torch.nn.MultiheadAttention: length x batch x channels; heads are split off as length x (batch heads) x depth, and the way back
        // goes through (length batch) x channels.
        const int Heads = 2,
            Depth = 4,
            Length = 9;
        var m = Model(batch);
        var tokens = m.Node("Transpose", [m.Node("Reshape", m.Body(m.Input), m.Shape(batch, 8, Length))], ("perm", new long[] { 2, 0, 1 }));
        string Split(string x) =>
            m.Node("Transpose", [m.Node("Reshape", x, m.Shape(Length, batch * Heads, Depth))], ("perm", new long[] { 1, 0, 2 }));
        var (q, k, v) = (
            Split(m.Node("MatMul", tokens, m.Weights(0.5f, 8, 8))),
            Split(m.Node("MatMul", tokens, m.Weights(0.5f, 8, 8))),
            Split(tokens)
        );
        var attention = m.Node("Softmax", [m.Node("MatMul", q, m.Node("Transpose", [k], ("perm", new long[] { 0, 2, 1 })))], ("axis", -1L));
        var merged = m.Node(
            "Reshape",
            m.Node("Transpose", [m.Node("MatMul", attention, v)], ("perm", new long[] { 1, 0, 2 })),
            m.Shape(Length * batch, 8)
        );
        var back = m.Node(
            "Transpose",
            [m.Node("Reshape", m.Gemm(merged, 8, 8), m.Shape(Length, batch, 8))],
            ("perm", new long[] { 1, 0, 2 })
        );
        var feature = m.Node("Gather", [back, m.Graph.Constant("first", [0L], [])], ("axis", 1L));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertFreed(m, feature, batch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Cut_Windows_AreFreed(int batch)
    {
        // Swin: windows are taken out of the map and join the batch, and go back.
        var m = Model(batch);
        var map = m.Node("Transpose", [m.ConvRelu(m.Input, 3, 6)], ("perm", new long[] { 0, 2, 3, 1 }));
        var cut = m.Node("Transpose", [m.Node("Reshape", map, m.Shape(batch, 2, 3, 2, 3, 6))], ("perm", new long[] { 0, 1, 3, 2, 4, 5 }));
        var windows = m.Node("Reshape", cut, m.Shape(batch * 4, 9, 6));
        var mixed = m.Node("Mul", windows, m.Node("ReduceMax", [windows], ("axes", new long[] { 1 })));
        var back = m.Node(
            "Transpose",
            [m.Node("Reshape", mixed, m.Shape(batch, 2, 2, 3, 3, 6))],
            ("perm", new long[] { 0, 1, 3, 2, 4, 5 })
        );
        var whole = m.Node("Reshape", back, m.Shape(batch, 6, 6, 6));
        var feature = m.Node("ReduceMean", [whole], ("axes", new long[] { 1, 2 }), ("keepdims", 0L));
        m.Output(m.Gemm(feature, 6, SmallModel.Classes));
        AssertFreed(m, feature, batch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Cut_PhotosThatInfluenceEachOther_RunOneByOne(int batch)
    {
        // Whatever is subtracted here is a mean over the batch: with many photos at once each gets another vector.
        var m = Model(batch);
        var pooled = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var feature = m.Node("Add", pooled, m.Node("ReduceMax", [pooled], ("axes", new long[] { 0 })));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.Equal(1, cut.MaxBatch);
        Assert.Contains("runs one photo at a time", cut.BatchMessage);
        var pixels = Probe.Pixels([Photos, 3, SmallModel.Size, SmallModel.Size], 5);
        SmallModel.AssertClose(OneByOne(m, feature, pixels, batch), SmallModel.RunCut(cut, pixels, Photos));
    }

    [Fact]
    public void Cut_DynamicBatchThatMixesPhotos_RunsOneByOne()
    {
        var m = new SmallModel();
        var pooled = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(m.Node("Sub", pooled, m.Node("ReduceMean", [pooled], ("axes", new long[] { 0 }))), 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.Equal(1, cut.MaxBatch);
        Assert.Contains("differ from one by one", cut.BatchMessage);
    }

    private static SmallModel Model(int batch) => new(16, "input", DataType.Float, batch, 3, SmallModel.Size, SmallModel.Size);

    /// <summary>Many at once must equal what the untouched file gives for each photo.</summary>
    private void AssertFreed(SmallModel m, string feature, int batch)
    {
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((batch, feature), (backbone.Input.Batch, backbone.Penultimate));
        var cut = backbone.Cut();
        Assert.Null(cut.MaxBatch);
        Assert.Contains($"fixed at {batch}; made dynamic", cut.BatchMessage);
        var pixels = Probe.Pixels([Photos, 3, SmallModel.Size, SmallModel.Size], 5);
        SmallModel.AssertClose(OneByOne(m, feature, pixels, batch), SmallModel.RunCut(cut, pixels, Photos));
    }

    /// <summary>Each photo repeated to the fixed batch, through the whole model; its first vector.</summary>
    private static float[] OneByOne(SmallModel m, string feature, float[] pixels, int batch)
    {
        var vectors = new List<float>();
        foreach (var photo in pixels.Chunk(pixels.Length / Photos))
        {
            var (values, _) = m.RunFull(
                feature,
                [.. Enumerable.Repeat(photo, batch).SelectMany(p => p)],
                batch,
                3,
                SmallModel.Size,
                SmallModel.Size
            );
            vectors.AddRange(values[..(values.Length / batch)]);
        }

        return [.. vectors];
    }
}
