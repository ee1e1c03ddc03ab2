using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;
using TransferPipeline.Quantization;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Each pattern of operators: what ONNX Runtime computes of its quantized form, beside a slow reference in double.</summary>
public sealed class PatternTests : IDisposable
{
    /// <summary>Photos of which the vectors are compared.</summary>
    private const int Photos = 6;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The pattern, and the 8-bit operator that ONNX Runtime makes of it.</summary>
    public static TheoryData<string, string> Patterns =>
        new()
        {
            { "conv-relu", "QLinearConv" },
            { "conv-clip", "QLinearConv" },
            { "conv-symmetric-clip", "QLinearConv" },
            { "conv-linear", "QLinearConv" },
            { "conv-without-bias", "QLinearConv" },
            { "conv-strided", "QLinearConv" },
            { "depthwise", "QLinearConv" },
            { "grouped", "QLinearConv" },
            { "add", "QLinearAdd" },
            { "add-relu", "QLinearAdd" },
            { "add-broadcast", "QLinearAdd" },
            { "mul", "QLinearMul" },
            { "squeeze-excite", "QLinearGlobalAveragePool" },
            { "concat", "QLinearConcat" },
            { "max-pool", "MaxPool" },
            { "average-pool", "QLinearAveragePool" },
            { "leaky-relu", "QLinearLeakyRelu" },
            { "gemm", "QGemm" },
            { "gemm-not-transposed", "QGemm" },
            { "matmul", "MatMulIntegerToFloat" },
            { "batch-norm", "QLinearConv" },
        };

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Pattern_IsComputedIn8Bits_AndIsWhatTheReferenceGives(string pattern, string fused)
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make(pattern));
        var quantized = Quantize(network);
        var optimized = Optimized(quantized.Model);
        Assert.Contains(optimized, op => op == fused);
        // All but the classifier: no convolution or product in float, and no tensor that goes to float and back.
        Assert.DoesNotContain("Conv", optimized);
        Assert.Equal(1, optimized.Count(op => op is "Gemm" or "MatMul" or "FusedGemm"));
        Assert.InRange(optimized.Count(op => op == "QuantizeLinear"), 1, 1);
        Compare(network, quantized.Model);
    }

    [Theory]
    [InlineData("conv-strided")]
    [InlineData("grouped")]
    [InlineData("depthwise")]
    [InlineData("gemm-not-transposed")]
    [InlineData("matmul")]
    public void Pattern_WithReducedWeights_IsWhatTheReferenceGives(string pattern)
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make(pattern));
        var quantized = Quantize(network, new() { WeightRange = WeightRange.Reduced }).Model;
        Assert.False(SaturatingWeights.In(quantized.Graph));
        Assert.True(SaturatingWeights.In(Quantize(network).Model.Graph));
        Compare(network, quantized);
    }

    [Theory]
    [InlineData("conv-clip", 9)]
    [InlineData("gemm", 7)]
    [InlineData("batch-norm", 8)]
    [InlineData("squeeze-excite", 11)]
    public void Pattern_OfAnOlderOpset_IsQuantized(string pattern, int opset)
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make(pattern, opset));
        Assert.Equal(OpsetUpgrade.Target, (int)network.Model.OpsetImport.Single(o => o.Domain.Length == 0).Version);
        Compare(network, Quantize(network).Model);
    }

    [Theory]
    [InlineData(CalibrationMethod.Minmax)]
    [InlineData(CalibrationMethod.Percentile)]
    [InlineData(CalibrationMethod.Entropy)]
    [InlineData(CalibrationMethod.Mse)]
    public void Methods_GiveCloseVectors(object method)
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make("depthwise"));
        Assert.InRange(Quantize(network, new() { Method = (CalibrationMethod)method, MaxFloatLayers = 0 }).Cosine, 0.98, 1);
    }

    [Fact]
    public void File_IsTheSame_WhateverTheThreads()
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make("squeeze-excite"));
        var files = new[] { 1, 2, 5 }
            .Select(threads => Quantizer.Run(network, SmallNetworks.Photos(9), new(), threads, _ => { }, default).Model.ToByteArray())
            .ToList();
        Assert.Equal(files[0], files[1]);
        Assert.Equal(files[0], files[2]);
    }

    [Fact]
    public void Layers_ThatAreSensitive_StayInFloat()
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make("conv-relu"));
        var all = Quantize(network, new() { MaxFloatLayers = 0 });
        Assert.DoesNotContain(all.Left, l => l.Reason == "sensitive");
        // No 8 bits are so close: the limit on layers ends the search.
        var some = Quantize(network, new() { MinCosine = 1, MaxFloatLayers = 2 });
        Assert.InRange(some.Left.Count(l => l.Reason == "sensitive"), 1, 2);
        Assert.Equal(all.Layers, some.Layers + some.Left.Count(l => l.Reason == "sensitive"));
        Assert.True(some.Cosine > all.Cosine);
        Compare(network, some.Model);
    }

    private static QuantizedNetwork Quantize(FloatNetwork network, QuantizationOptions? options = null) =>
        Quantizer.Run(network, SmallNetworks.Photos(40), options ?? new() { WeightRange = WeightRange.Full }, 2, _ => { }, default);

    private static void Compare(FloatNetwork network, ModelProto quantized)
    {
        var pixels = new float[3 * SmallNetworks.Side * SmallNetworks.Side];
        var read = SmallNetworks.Photos(Photos).CreateReader();
        var cut = quantized.Clone();
        cut.Graph.Output.Clear();
        cut.Graph.Output.Add(new ValueInfoProto { Name = network.Feature });
        using var session = Sessions.Create(cut);
        for (var photo = 0; photo < Photos; photo++)
        {
            read(photo, pixels);
            int[] shape = [1, 3, SmallNetworks.Side, SmallNetworks.Side];
            var exact = ReferenceNetwork.Run(network.Model, pixels, shape, network.Feature).Values;
            var rounded = ReferenceNetwork.Run(quantized, pixels, shape, network.Feature).Values;
            using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, SmallNetworks.Side, SmallNetworks.Side]);
            using var options = new RunOptions();
            using var results = session.Run(options, ["input"], [input], [network.Feature]);
            var values = results[0].GetTensorDataAsSpan<float>().ToArray();
            var largest = exact.Max(Math.Abs);
            for (var i = 0; i < values.Length; i++)
            {
                // Against the same levels: sums in integers, and in float32 a level may round the other way. Against float: 8 bits.
                Assert.InRange(values[i] - rounded[i], -0.015 * largest, 0.015 * largest);
                Assert.InRange(values[i] - exact[i], -0.12 * largest, 0.12 * largest);
            }
        }
    }

    private List<string> Optimized(ModelProto model)
    {
        var file = _folder.At("optimized.onnx");
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            OptimizedModelFilePath = file,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        using var session = new InferenceSession(model.ToByteArray(), options);
        return [.. ModelProto.Parser.ParseFrom(File.ReadAllBytes(file)).Graph.Node.Select(n => n.OpType)];
    }
}
