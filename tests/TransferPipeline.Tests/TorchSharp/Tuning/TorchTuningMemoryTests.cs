using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>What a step is expected to take of the memory, with the part that will do it.</summary>
public sealed class TorchTuningMemoryTests
{
    public TorchTuningMemoryTests() => TunedParts.RequireTorch();

    /// <summary>Statistics are those of the whole batch, whose activations are then in memory at once.</summary>
    [Fact]
    public void Estimate_WithBatchNormalization_CountsTheWholeBatch()
    {
        var options = new TunerOptions { Threads = 2 };
        Assert.Equal(8, PhotosAtOnce("Relu"));
        Assert.Equal(32, PhotosAtOnce("BatchNormalization"));

        long PhotosAtOnce(string op)
        {
            using var part = new TorchTuner().Open(OperatorCases.All[op].Create(), options);
            var with = TuningMemory.Estimate(part, options, 32, 0);
            var without = TuningMemory.Estimate(part, options, 0, 0);
            return (with - without) / part.ActivationBytesPerPhoto;
        }
    }

    [Fact]
    public void Require_RefusesABatchThatNoArrayHolds()
    {
        TuningMemory.Require(0, 10_000, 150_528, "all");
        var error = Assert.Throws<UsageException>(() => TuningMemory.Require(0, 20_000, 150_528, "all"));
        Assert.Contains("take --batch 14266 or less", error.Message, StringComparison.Ordinal);
    }
}
