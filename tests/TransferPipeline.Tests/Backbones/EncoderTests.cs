using System.Text.Json;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Networks without a classifier: which output is the feature, and how tokens are pooled.</summary>
public sealed class EncoderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Small CLIP, DINOv2 and SigLIP with torch's vectors of sample photos (tests/rivals/goldens/encoders.py), preprocessing read from
    /// beside the file.
    /// </summary>
    [Theory]
    [InlineData("clip", "none", 12)]
    [InlineData("clip", "cls", 16)]
    [InlineData("clip", "mean", 16)]
    [InlineData("clip", "avg", 16)]
    [InlineData("dinov2", "cls", 16)]
    [InlineData("dinov2", "mean", 16)]
    [InlineData("dinov2", "cls+mean", 32)]
    [InlineData("siglip", "none", 16)]
    [InlineData("siglip", "mean", 16)]
    public void Vectors_OfEncodersWithTheirConfiguration_AreTorchs(string name, string pooling, int length)
    {
        var folder = Path.Combine(SharedData.Repository, "tests", "rivals", "goldens", "encoders", name);
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "vectors.json")));
        var photos = golden
            .RootElement.GetProperty("photos")
            .EnumerateArray()
            .Select(p => PhotoVectors.Decode(Path.Combine(PhotoVectors.Samples, p.GetString()!)))
            .ToList();
        float[] expected =
        [
            .. golden
                .RootElement.GetProperty("vectors")
                .GetProperty(pooling)
                .EnumerateArray()
                .SelectMany(r => r.EnumerateArray().Select(v => v.GetSingle())),
        ];
        Assert.Equal(photos.Count * length, expected.Length);

        var model = PhotoVectors.EmptyStore(_folder).Resolve(Path.Combine(folder, "model.onnx"));
        SmallModel.AssertClose(expected, PhotoVectors.Of(model, new(CutRequest.Penultimate, Pooling.Parse(pooling)), photos), 1e-4f);
        Assert.Equal(2, model.Notes([new(CutRequest.Penultimate, Pooling.Parse(pooling))]).Count);
    }

    [Fact]
    public void Cut_TokensWithoutPooling_AsksForOne()
    {
        var error = Assert.Throws<UsageException>(() => Backbone.Open(Golden("dinov2")).Cut());
        Assert.Contains(
            "no output holds one vector per photo: 'last_hidden_state' (1 x 21 x 16, tokens); give a pooling (for tokens cls, mean or "
                + "cls+mean",
            error.Message
        );
    }

    [Fact]
    public void Cut_ClassTokenOfTokensWithoutOne_IsRefused()
    {
        var error = Assert.Throws<UsageException>(() =>
            Backbone.Open(Golden("siglip")).Cut(new CutRequest("last_hidden_state", Pooling.Parse("cls")))
        );
        Assert.Contains(
            "needs a class token, but 'last_hidden_state' holds no token beside those of the patches; use pooling mean",
            error.Message
        );
    }

    [Fact]
    public void Cut_TokenPoolingOfAVector_IsRefused()
    {
        var error = Assert.Throws<UsageException>(() =>
            Backbone.Open(Golden("siglip")).Cut(new CutRequest("pooler_output", Pooling.Parse("cls+mean")))
        );
        Assert.Contains("needs tokens", error.Message);
        Assert.Contains("a vector of 16 values; use pooling none", error.Message);
    }

    [Theory]
    [InlineData("length 1 by a root of squares")]
    [InlineData("length 1 by LpNormalization")]
    [InlineData("named image_embeds")]
    [InlineData("weights named visual_projection")]
    [InlineData("face embedding behind a batch normalization")]
    [InlineData("512 units without a bias")]
    [InlineData("square with tanh")]
    [InlineData("residual block at the end")]
    [InlineData("relu at the end")]
    [InlineData("pooled map that is not flattened")]
    public void Cut_WithoutAClassifier_IsTheOutput(string form)
    {
        var m = new SmallModel();
        var pooled = m.Node("GlobalAveragePool", m.Body(m.Input));
        var vector = m.Node("Flatten", pooled);
        var output = form switch
        {
            "length 1 by a root of squares" => Divide(m, m.Gemm(vector, 8, 7)),
            "length 1 by LpNormalization" => m.Node("LpNormalization", [m.Gemm(vector, 8, 7)], ("axis", 1L), ("p", 2L)),
            "named image_embeds" => Named(m, "image_embeds", m.Gemm(vector, 8, 7)),
            "weights named visual_projection" => m.Node(
                "MatMul",
                vector,
                m.Graph.Constant("visual_projection.weight", m.Random(1, 8, 7), 8, 7)
            ),
            "face embedding behind a batch normalization" => m.Node(
                "BatchNormalization",
                [
                    m.Gemm(vector, 8, 256),
                    m.Weights(1, 256),
                    m.Weights(1, 256),
                    m.Weights(1, 256),
                    m.Graph.Constant("variance", Enumerable.Repeat(2f, 256).ToArray(), 256),
                ]
            ),
            "512 units without a bias" => m.Node("MatMul", vector, m.Weights(1, 8, 512)),
            "square with tanh" => m.Node("Tanh", m.Gemm(vector, 8, 8)),
            "residual block at the end" => m.Node("Add", vector, m.Gemm(m.Node("Relu", m.Gemm(vector, 8, 16)), 16, 8)),
            "relu at the end" => m.Node("Relu", m.Gemm(vector, 8, 32)),
            _ => pooled,
        };
        var length = m.RunFull(output, Probe.Pixels([1, 3, 12, 12]), 1, 3, 12, 12).Values.Length;
        m.Model.Graph.Output.Add(
            GraphWriter.Declare(output, DataType.Float, form.StartsWith("pooled", StringComparison.Ordinal) ? [-1, 8, 1, 1] : [-1, length])
        );

        var backbone = Backbone.Open(m.Save(_folder));
        Assert.False(backbone.HasClassifier);
        Assert.Null(backbone.Penultimate);
        Assert.Equal(output, backbone.Explicit(CutRequest.Default).Cut);
        Assert.Contains($"its output '{output}' ({length} values) is the feature", backbone.FeatureNote(CutRequest.Default));
        var pixels = Probe.Pixels([3, 3, 12, 12], 5);
        SmallModel.AssertClose(m.RunFull(output, pixels, 3, 3, 12, 12).Values, SmallModel.RunCut(backbone.Cut(), pixels, 3));
        Assert.NotEmpty(backbone.Candidates());
        Assert.NotEmpty(backbone.Summarize().Layers);
    }

    [Theory]
    [InlineData(CutRequest.Features)]
    [InlineData(CutRequest.Penultimate)]
    public void Cut_OutputNamedAsACut_IsThatOutput(string name)
    {
        var m = new SmallModel();
        var vector = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Model.Graph.Node[^1].Output[0] = name;
        m.Output(name, -1, 8);
        var backbone = Backbone.Open(m.Save(_folder));
        foreach (var request in (CutRequest[])[backbone.Explicit(CutRequest.Default), new(name, Pooling.None)])
            Assert.Equal((name, 8), (backbone.Cut(request).Outputs[0].Tensor, backbone.Cut(request).Outputs[0].Dimension));
        Assert.NotEqual(vector, name);
        // The map can then not be cut by that word.
        Assert.Equal(name != CutRequest.Features, backbone.Candidates().Any(c => c.Alias == CutRequest.Features));
    }

    [Fact]
    public void Cut_SeveralVectors_ListsThemWithShapes()
    {
        var m = new SmallModel();
        var vector = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var other = m.Node("Relu", m.Gemm(vector, 8, 5));
        m.Output(Named(m, "a", vector), -1, 8).Output(Named(m, "b", other), -1, 5);
        var backbone = Backbone.Open(m.Save(_folder));
        var error = Assert.Throws<UsageException>(() => backbone.Cut());
        Assert.Contains("choose the feature with --cut NAME: 'a' (1 x 8), 'b' (1 x 5)", error.Message);
        Assert.Equal([8, 5], backbone.Cut(new("a", Pooling.None), new("b", Pooling.None)).Outputs.Select(o => o.Dimension));
        Assert.NotEmpty(backbone.Summarize().Layers);
        Assert.Contains(backbone.Candidates(), c => c.Tensor == "b");
    }

    [Fact]
    public void Cut_MapAlone_IsPooledOnRequest()
    {
        var m = new SmallModel();
        m.Output(m.Body(m.Input), -1, 8, 3, 3);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Contains("(1 x 8 x 3 x 3, a map)", Assert.Throws<UsageException>(() => backbone.Cut()).Message);
        Assert.Equal(
            [8, 32],
            backbone
                .Cut(new(CutRequest.Penultimate, Pooling.Parse("avg")), new(CutRequest.Penultimate, Pooling.Parse("adaptive:2x2")))
                .Outputs.Select(o => o.Dimension)
        );
    }

    [Fact]
    public void Cut_ModelThatTakesTextToo_GivesThePhotosVector()
    {
        // CLIP in one file: logits need both, image_embeds the photo alone.
        var m = new SmallModel();
        m.Model.Graph.Input.Add(GraphWriter.Declare("input_ids", DataType.Float, -1, 4));
        var image = Divide(m, m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, 6));
        var text = m.Node("MatMul", "input_ids", m.Weights(1, 4, 6));
        var logits = m.Node("MatMul", image, m.Node("Transpose", text));
        m.Output(logits, -1, -1).Output(text, -1, 6).Output(Named(m, "image_embeds", image), -1, 6);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal("image_embeds", backbone.Explicit(CutRequest.Default).Cut);
        Assert.Equal(6, backbone.Cut().Outputs[0].Dimension);
        Assert.Contains(
            "needs the input 'input_ids' besides the photo",
            Assert.Throws<UsageException>(() => backbone.Cut(new CutRequest(logits, Pooling.None))).Message
        );
    }

    [Fact]
    public void Add_Encoder_KeepsItsFeatureInTheManifest()
    {
        var store = PhotoVectors.EmptyStore(_folder);
        var entry = store.Add(Golden("siglip"), "small-siglip");
        Assert.Equal("pooler_output", entry.Manifest.Cut);
        Assert.Contains("OpenCLIP's open_clip_config.json", entry.Manifest.PreprocessingSource);
        var resolved = store.Resolve("small-siglip");
        Assert.Equal("pooler_output", resolved.Explicit(CutRequest.Default).Cut);
        Assert.Equal("last_hidden_state", resolved.Explicit(new(CutRequest.Penultimate, Pooling.Parse("mean"))).Cut);
        Assert.Equal(
            (32, 32, 0.5),
            (resolved.Preprocessing.ResizeHeight, resolved.Preprocessing.ResizeWidth, resolved.Preprocessing.Std[1])
        );
    }

    [Fact]
    public void Resolve_EncoderWhoseManifestIsOlder_NamesItsFeature()
    {
        // Before encoders were known, the vector before a projection was cached as the penultimate one: the new recipe must differ.
        var store = PhotoVectors.EmptyStore(_folder);
        var entry = store.Add(Golden("clip"), "old");
        File.WriteAllLines(
            entry.ManifestFile,
            File.ReadAllLines(entry.ManifestFile).Where(l => !l.StartsWith("cut:", StringComparison.Ordinal))
        );
        var model = store.Resolve("old");
        Assert.Equal("", model.Manifest!.Cut);
        Assert.Equal("image_embeds", model.Explicit(CutRequest.Default).Cut);
        Assert.Contains("its output 'image_embeds' (12 values) is the feature", Assert.Single(model.Notes([CutRequest.Default])));
    }

    private static string Golden(string name) =>
        Path.Combine(SharedData.Repository, "tests", "rivals", "goldens", "encoders", name, "model.onnx");

    /// <summary>x / sqrt(max(sum(x * x), epsilon)), as torch.nn.functional.normalize is exported in parts.</summary>
    private static string Divide(SmallModel m, string x)
    {
        var squares = m.Node("ReduceSum", [m.Node("Mul", x, x)], ("axes", new long[] { 1 }), ("keepdims", 1L));
        return m.Node("Div", x, m.Node("Sqrt", m.Node("Clip", squares, m.Scalar(1e-12f))));
    }

    private static string Named(SmallModel m, string name, string tensor)
    {
        m.Model.Graph.Node.Add(
            new NodeProto
            {
                OpType = "Identity",
                Input = { tensor },
                Output = { name },
            }
        );
        return name;
    }
}
