using System.Text.Json.Nodes;
using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Cli;

/// <content>Training with products in bfloat16.</content>
public sealed partial class FinetuneTests
{
    /// <summary>bf16 is another run with other bytes, what is written and checked is float32.</summary>
    [Fact]
    public void Finetune_InBf16_WritesFloat32AndTheSameBytesForAnyThreads()
    {
        if (Bfloat16.Problem is { } problem)
            Assert.Skip(problem);
        var photos = SamplePhotos.Copy(_folder.At("photos"), 4, Classes);
        string[] shared = ["--cache", _folder.At("cache")];
        Finetune(photos, "tuned.onnx", shared);
        var exact = Hash("tuned.onnx");
        string[] rounded = [.. shared, "--precision", "bf16"];
        var one = Finetune(photos, "tuned.onnx", [.. rounded, "--threads", "1", "--json"]);
        Assert.DoesNotContain("trained before", one.Error, StringComparison.Ordinal);
        Assert.InRange(JsonNode.Parse(one.Output)!["write_back_difference"]!.GetValue<double>(), 0, 1e-5);
        Assert.NotEqual(exact, Hash("tuned.onnx"));
        var model = OnnxFile.Read(_folder.At("tuned.onnx")).Model;
        Assert.DoesNotContain(model.Graph.Initializer, t => t.DataType == (int)TensorProto.Types.DataType.Bfloat16);
        Assert.Contains("\"precision\":\"bf16\"", model.MetadataProps.Single(p => p.Key == TunedModelFile.MetadataKey).Value);
        Finetune(photos, "two.onnx", [.. rounded, "--threads", "2"]);
        Assert.Equal(Hash("tuned.onnx"), Hash("two.onnx"));
    }

    [Fact]
    public void Finetune_InBf16WithoutItsInstructionsOrOnAGpu_IsRefused()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        var without = new Dictionary<string, string> { ["DOTNET_EnableAVX512"] = "0" };
        var arguments = Arguments(photos, "tuned.onnx", ["--precision", "bf16"]);
        var result = TransferProcess.RunIn(_folder.Root, without, arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("this CPU has no AMX", result.LastErrorLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("tuned.cache")));
        var gpu = TransferProcess.Run([.. arguments, "--device", "cuda"]);
        TransferResult.AssertRefused(gpu, "precision bf16 is for device cpu");
    }
}
