using TransferPipeline.Datasets;
using TransferPipeline.Onnx;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <content>What is refused before anything is computed.</content>
internal sealed partial class Finetuning
{
    /// <summary>More does not fit into one ONNX file, which the tuned one is.</summary>
    private const long MostWeights = int.MaxValue - (64 << 20);

    private static void RequireSplits(Dataset dataset, FinetuneOptions options)
    {
        var there = dataset.Entries.CountBy(e => e.Split).ToDictionary();
        foreach (var needed in (string[])[Splits.Train, Splits.Validation])
        {
            if (!there.ContainsKey(needed))
                throw new BadInputException(
                    $"{dataset.Source} has no photos in split {needed} (it has "
                        + $"{string.Join(", ", there.Select(s => $"{s.Key}: {s.Value}"))}): "
                        + "training needs one and evaluates the other; set --validation-share where the data has no such split"
                );
        }

        if (dataset.Classes.Count < 2)
            throw new BadInputException($"{dataset.Source}: {dataset.Classes.Count} class; a classifier needs at least two");
        var trained = dataset.Entries.Where(e => e.Split == Splits.Train).CountBy(e => e.Label).ToDictionary();
        if (dataset.Classes.FirstOrDefault(c => !trained.ContainsKey(c)) is { } missing)
            throw new BadInputException(
                $"{dataset.Source}: class '{missing}' has no photo in split {Splits.Train}: a head cannot learn it"
            );
        TuningPhotos.RequireEnough(trained.Values, options);
    }

    /// <summary>Quantized and half-precision files have no weights of float32 to train.</summary>
    private void RequireFloat()
    {
        var model = _backbone.CopyModel();
        if (model.Graph.Node.FirstOrDefault(n => n.IsQuantized()) is { } quantized)
            throw new BadInputException(
                $"{_backbone.File}: it is quantized ('{quantized.Output[0]}' is made by {quantized.OpType}) and cannot be "
                    + $"trained; take the "
                    + "float file from which it was made, and quantize the tuned one"
            );
        if (
            model.Graph.Initializer.FirstOrDefault(t =>
                t.DataType is (int)TensorProto.Types.DataType.Float16 or (int)TensorProto.Types.DataType.Bfloat16 && TensorData.Count(t) > 1
            ) is
            { } half
        )
            throw new BadInputException(
                $"{_backbone.File}: '{half.Name}' is of {(TensorProto.Types.DataType)half.DataType}, too coarse for small steps; take the "
                    + "float32 file of this model"
            );
        var bytes = TensorData.All(model.Graph).Sum(t => TensorData.Count(t) * sizeof(float));
        if (bytes > MostWeights)
            throw new BadInputException(
                FormattableString.Invariant($"{_backbone.File}: {bytes / 1e9:0.0} GB of weights; ")
                    + "a tuned model is written as one ONNX file, which holds at most 2 GB; take a smaller model"
            );
    }

    private void RequireMemory()
    {
        // The estimate needs the sizes of the weights alone, which zeros have too.
        using var part = Open(Zeros(), null);
        var needed = TuningMemory.Estimate(part, TunerOptionsFor(new int[Classes]), _options.Batch, _divided.Input.Values);
        TuningMemory.Require(needed, _options.Batch, _divided.Input.Values, _options.Cut);
    }
}
