using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Files that ONNX Runtime's optimizer wrote: the vectors of the file that they were made from, or a refusal.</summary>
public sealed class OptimizedFileTests : IDisposable
{
    private const int Batch = 3;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, GraphOptimizationLevel> Forms
    {
        get
        {
            var data = new TheoryData<string, GraphOptimizationLevel>();
            foreach (
                var form in (string[])
                    [
                        "a Gemm",
                        "a convolution, its Relu and their average",
                        "a convolution, its Relu and their average, of 1000 classes",
                        "a convolution, its Sigmoid and their average",
                        "a convolution, its LeakyRelu and their average",
                        "a product and its Relu",
                        "a product of integers",
                    ]
            )
            {
                foreach (var level in Enum.GetValues<GraphOptimizationLevel>())
                    data.Add(form, level);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Cut_OfAnOptimizedFile_GivesTheVectorsOfItsSource(string form, GraphOptimizationLevel level)
    {
        var source = Network(form).Save(_folder);
        var optimized = Optimize(source, level);
        if (OnnxFile.Read(optimized).Model.Graph.Node.Any(n => n.Domain == "com.microsoft.nchwc"))
        {
            // Not on every kind of CPU.
            Assert.True(level is GraphOptimizationLevel.ORT_ENABLE_LAYOUT or GraphOptimizationLevel.ORT_ENABLE_ALL);
            Assert.Throws<BadInputException>(() => Backbone.Open(optimized));
            return;
        }

        var (expected, actual) = (Backbone.Open(source), Backbone.Open(optimized));
        Assert.Equal((expected.HasClassifier, expected.Classes), (actual.HasClassifier, actual.Classes));
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        // Integers may round to the other side.
        SmallModel.AssertClose(
            SmallModel.RunCut(expected.Cut(), pixels, Batch),
            SmallModel.RunCut(actual.Cut(), pixels, Batch),
            form == "a product of integers" ? 1e-3f : 1e-5f
        );
    }

    [Fact]
    public void Open_FileOptimizedForOneCpu_IsRefused()
    {
        var m = SmallModel.Plain();
        m.Model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft.nchwc", Version = 1 });
        m.Model.Graph.Node.First(n => n.OpType == "Conv").Domain = "com.microsoft.nchwc";
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)));
        Assert.Contains("ONNX Runtime has optimized it for the CPU that it was loaded on (its operator Conv is of the", error.Message);
        Assert.EndsWith("use the file that it was made from, or optimize that one again with ORT_ENABLE_EXTENDED", error.Message);
    }

    [Fact]
    public void Summarize_OperatorWithoutAKernelBehindTheCut_IsLeftOut()
    {
        // ONNX Runtime's optimizer for GPUs writes it; a CPU has no kernel for it.
        var m = SmallModel.Plain();
        m.Model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        var scores = m.Model.Graph.Output[0].Name;
        var softmax = m.Node("BiasSoftmax", [scores, m.Weights(1, 1, SmallModel.Classes)], ("axis", 1L), ("is_inner_broadcast", 1L));
        m.Model.Graph.Node[^1].Domain = "com.microsoft";
        m.Model.Graph.Output[0].Name = softmax;
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(8, backbone.Cut().Outputs[0].Dimension);
        var layers = backbone.Summarize().Layers;
        Assert.Equal([SmallModel.Plain().Model.Graph.Node.Count + 1, 0], [layers.Count, layers[^1].Shape.Count]);
        Assert.Equal(8, layers.Single(l => l.Cut.Length > 0).Shape[1]);
        Assert.Equal(CutRequest.Penultimate, backbone.Candidates()[0].Alias);
    }

    [Fact]
    public void Cut_ClassifierOfFourBits_IsFound()
    {
        var m = new SmallModel(21);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.ConvRelu(m.Input, 3, 32)));
        var weights = m.Bytes(
            DataType.Uint8,
            [.. Enumerable.Range(0, SmallModel.Classes * 16).Select(i => (byte)(i * 37))],
            SmallModel.Classes,
            1,
            16
        );
        var logits = m.Graph.Nodes(
            "MatMulNBits",
            "com.microsoft",
            1,
            [feature, weights, m.Weights(0.1f, SmallModel.Classes)],
            ("K", 32L),
            ("N", (long)SmallModel.Classes),
            ("bits", 4L),
            ("block_size", 32L)
        )[0];
        var backbone = Backbone.Open(m.Output(logits).Save(_folder));
        Assert.Equal((feature, SmallModel.Classes), (backbone.Penultimate, backbone.Classes));
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        var (expected, _) = m.RunFull(feature, pixels, Batch, 3, SmallModel.Size, SmallModel.Size);
        SmallModel.AssertClose(expected, SmallModel.RunCut(backbone.Cut(), pixels, Batch));
    }

    private static SmallModel Network(string form)
    {
        var m = new SmallModel();
        var map = m.ConvRelu(m.Input, 3, 16);
        if (form == "a Gemm")
            return m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 16, SmallModel.Classes));
        if (form == "a product and its Relu")
            return m.Output(m.Node("Relu", m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 16, SmallModel.Classes)));
        if (form == "a product of integers")
            return m.Output(Integers(m, m.Node("Flatten", m.Node("GlobalAveragePool", map))));
        var classes = form.EndsWith("1000 classes", StringComparison.Ordinal) ? 1000 : 16;
        var conv = m.Node("Conv", map, m.Weights(0.3f, classes, 16, 1, 1), m.Weights(0.1f, classes));
        var activation = form.Split("its ")[1].Split(' ')[0];
        return m.Output(m.Node("Flatten", m.Node("GlobalAveragePool", m.Node(activation, conv))), -1, classes);
    }

    /// <summary>As ONNX Runtime's dynamic quantization writes a product.</summary>
    private static string Integers(SmallModel m, string feature)
    {
        var quantized = m.Graph.Nodes("DynamicQuantizeLinear", "", 3, [feature]);
        byte[] values = [.. Enumerable.Range(0, 16 * SmallModel.Classes).Select(i => (byte)(i * 37))];
        var weights = m.Bytes(DataType.Int8, values, 16, SmallModel.Classes);
        var product = m.Node("MatMulInteger", quantized[0], weights, quantized[2], m.Bytes(DataType.Int8, [0]));
        var scale = m.Node("Mul", quantized[1], m.Scalar(0.01f));
        var scaled = m.Node("Mul", m.Node("Cast", [product], ("to", (long)DataType.Float)), scale);
        return m.Node("Add", scaled, m.Weights(0.1f, SmallModel.Classes));
    }

    private string Optimize(string source, GraphOptimizationLevel level)
    {
        var file = _folder.At("optimized.onnx");
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = level,
            OptimizedModelFilePath = file,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        using var session = new InferenceSession(source, options);
        return file;
    }
}
