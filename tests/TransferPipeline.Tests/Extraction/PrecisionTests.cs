using TransferPipeline.Features;
using TransferPipeline.Inference;

namespace TransferPipeline.Tests.Extraction;

/// <summary>Extraction in fp16, on the CPU provider, with the default backbone and real photos.</summary>
public sealed class PrecisionTests : IDisposable
{
    private readonly TestExtraction _extraction = new(3);

    public void Dispose() => _extraction.Dispose();

    [Fact]
    public void Run_Fp16_TellsItsErrorAndIsCloseToFp32()
    {
        _extraction.Run();
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with
        {
            Device = new() { Precision = Precision.Fp16 },
            Outputs = [_extraction.Job(dataset).Outputs[0] with { Folder = _extraction.At("half") }],
        };
        var half = _extraction.Run(job, _extraction.Options);
        Assert.Contains(
            _extraction.Messages,
            m => m.StartsWith("fp16 against fp32 on the first 8 photos: cosine at least 0.9999", StringComparison.Ordinal)
        );
        var set = FeatureSet.Open(half.Folder, _extraction.Table);
        Assert.Equal("fp16", set.Recipe.Precision);
        var drift = FeatureDrift.Compare(_extraction.Open(), set);
        Assert.InRange(drift.CosineMin, 0.9995, 1);
        Assert.True(drift.LargestDifference > 0, "the vectors are those of fp32");
        Assert.Equal(["precision"], drift.Differences.Select(d => d.Field));
    }
}
