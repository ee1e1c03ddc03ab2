using TransferPipeline.Datasets;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Extraction;

/// <summary>
/// Vectors of real photos against those of other tools (shared/reference: Pillow, torchvision's transforms, ONNX Runtime 1.31).
/// </summary>
public sealed class ReferenceFeaturesTests
{
    private const float SmallestCosine = 0.999999f,
        LargestDifference = 1e-3f;

    [Fact]
    public void Run_OnHymenopteraVal_GivesTheReferenceFeatures()
    {
        using var extraction = new TestExtraction { Options = new() };
        var files = File.ReadAllLines(SharedData.RequireReference("features-hymenoptera-val-files.txt"));
        var (rows, columns, expected) = Npy.Read(SharedData.RequireReference("features-hymenoptera-val-efficientnet-lite0.npy"));
        extraction.Model = SharedData.RequireModel("efficientnet-lite0.onnx");
        using var dataset = DatasetReader.Open(new() { Path = SharedData.RequireHymenoptera() });
        var result = extraction.Run(extraction.Job(dataset), extraction.Options);

        var data = extraction.Open().Load(Splits.Validation);
        Assert.Equal((files.Length, 1280), (rows, columns));
        Assert.Equal(files.Select(f => f["hymenoptera/".Length..]), data.Rows.Select(r => r.Path));
        for (var i = 0; i < rows; i++)
        {
            var ours = data.X.Row(i);
            var theirs = expected.AsSpan(i * columns, columns);
            Assert.InRange(System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(ours, theirs), SmallestCosine, 1.000001f);
            var largest = 0f;
            for (var d = 0; d < columns; d++)
                largest = Math.Max(largest, Math.Abs(ours[d] - theirs[d]));
            Assert.InRange(largest, 0, LargestDifference);
        }

        Assert.Equal(dataset.Entries.Count, result.Computed + result.Failed);
    }
}
