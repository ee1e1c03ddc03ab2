using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Quantization;

namespace TransferPipeline.Jobs;

/// <summary>What <see cref="QuantizationJob"/> made.</summary>
/// <param name="File">The quantized backbone; when it was refused, under another name than requested.</param>
/// <param name="Layers">Layers with weights that are computed in 8 bits.</param>
/// <param name="Left">Layers with weights that stay in float, with the reason.</param>
internal sealed record QuantizationOutcome(
    string File,
    string Sha256,
    long Bytes,
    int Photos,
    int Layers,
    IReadOnlyList<FloatLayer> Left,
    bool Equalized,
    QuantizationProof Proof
);

/// <summary>Quantizes a backbone, proves what that did to vectors, heads and speed, and refuses a result that lost too much.</summary>
internal sealed class QuantizationJob(Toolbox tools, QuantizationOptions options, ProofOptions proof, int threads, Action<string> message)
{
    /// <summary>Ending of the name, before .onnx, of a file that was refused.</summary>
    public const string Refused = ".refused";

    /// <param name="file">Where the backbone goes, with a manifest beside it.</param>
    /// <exception cref="UsageException">The model cannot be quantized.</exception>
    /// <exception cref="BadInputException">The photos cannot be used.</exception>
    public QuantizationOutcome Run(ResolvedModel model, Dataset dataset, string file, CancellationToken cancellation)
    {
        // Before the quantization, which can take minutes.
        using (var sample = new DatasetSample(dataset, proof.Photos))
            QuantizationTrial.HeldOutSplit(sample);
        if (OutputTarget.IsSame(file, model.File))
            throw new UsageException($"{file} is the float backbone: choose another name for the quantized one");
        var quantizer = new BackboneQuantizer(tools, options, threads, message);
        var photos = quantizer.Choose(model, dataset);
        var made = quantizer.Quantize(model, photos, cancellation);
        message(made.ToString());
        // Under the other name until it is proven: who finds the requested name finds a backbone that passed.
        var aside = Path.Combine(
            Path.GetDirectoryName(Path.GetFullPath(file))!,
            Path.GetFileNameWithoutExtension(file) + Refused + ".onnx"
        );
        // Once: what is proven and what gets the requested name are the same bytes.
        var bytes = made.ToBytes();
        var manifest = made.Write(aside, bytes);
        var result = new QuantizationTrial(tools, threads, message).Run(
            model,
            // Its messages are about the backbone that was requested.
            tools.Models.Resolve(aside) with
            {
                Name = Path.GetFileNameWithoutExtension(file),
            },
            dataset,
            proof.Photos,
            proof.MaxLoss,
            cancellation
        );
        var target = aside;
        if (!result.IsRefused)
        {
            target = Path.GetFullPath(file);
            made.Write(target, bytes);
            File.Delete(aside);
            File.Delete(Path.ChangeExtension(aside, ".yaml"));
        }

        return new(
            target,
            manifest.Sha256,
            manifest.Bytes,
            photos.Entries.Count,
            made.Network.Layers,
            made.Network.Left,
            made.Network.Equalized,
            result
        );
    }
}

/// <summary>How a quantized backbone is proven.</summary>
internal sealed record ProofOptions
{
    [Option("proof-photos", "Most photos that float and int8 are compared on, spread over the dataset.", Min = 20, Max = 1e9)]
    public int Photos { get; init; } = 4000;

    /// <summary>On 341 photos one photo is 0.003, and the standard error of the difference of two equal classifiers about 0.01.</summary>
    [Option(
        "max-loss",
        "Largest fall of an accuracy (of softmax or linear-svm) that is accepted, as a share of the held-out photos.",
        Min = 0,
        Max = 1
    )]
    public double MaxLoss { get; init; } = 0.02;
}
