using System.Globalization;
using System.Text.Json;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Jobs;

/// <summary>The proof of an int8 backbone in a pipeline's folder; repeated when backbones, photos or limits change.</summary>
internal sealed class Int8Proof(Toolbox tools, ProofOptions options, int threads, Action<string> message, string folder)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public DecodeOptions Decode { get; init; } = new();

    public PreprocessingOverride? Preprocessing { get; init; }

    /// <returns>The file with the figures.</returns>
    /// <exception cref="JobFailedException">An accuracy fell by more than the limit.</exception>
    public string Require(ResolvedModel exact, ResolvedModel quantized, Dataset dataset, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, $"quantization-{quantized.Name}.json");
        var trial = new QuantizationTrial(tools, threads, message) { Decode = Decode, Preprocessing = Preprocessing };
        var key = KeyOf(trial, exact, quantized, dataset, cancellation);
        var stored = Read(file);
        var proof = stored?.Key == key ? stored.Proof : null;
        if (proof is null)
        {
            proof = trial.Run(exact, quantized, dataset, options.Photos, options.MaxLoss, cancellation);
            // Also of a backbone that is refused: the error names this file, and the next run need not measure again.
            DurableFile.WriteText(file, JsonSerializer.Serialize(new StoredProof(key, proof), Json) + "\n");
        }

        var worst = proof.Worst;
        var words = string.Create(
            CultureInfo.InvariantCulture,
            $"{quantized.Name}: {worst.Head} has accuracy {worst.Int8.Value:0.0000} on int8 vectors and "
                + $"{worst.Float.Value:0.0000} on float vectors of {proof.HeldOut} held-out photos, "
                + $"mean cosine {proof.CosineMean:0.0000}, {proof.Speedup:0.00} times as fast"
        );
        if (proof.IsRefused)
            throw new JobFailedException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{words}: it falls by more than quantize.max-loss {options.MaxLoss}; see {file}"
                )
            );
        message(words);
        return file;
    }

    private ProofKey KeyOf(
        QuantizationTrial trial,
        ResolvedModel exact,
        ResolvedModel quantized,
        Dataset dataset,
        CancellationToken cancellation
    )
    {
        using var sample = new DatasetSample(dataset, options.Photos);
        var hashes = new PhotoHashes(sample);
        hashes.Compute([.. Enumerable.Range(0, sample.Entries.Count)], cancellation);
        return new(
            trial.Specify(exact, sample, "").RecipeOf(0).Hash(),
            trial.Specify(quantized, sample, "").RecipeOf(0).Hash(),
            // By the photos' bytes: other photos under the same names give other vectors.
            LinesHash.Of(sample.Entries.Select((e, i) => $"{e.Path}\n{e.Label}\n{e.Split}\n{hashes[i]}")),
            Decode.MaxBytes,
            Decode.MaxPixels,
            options.MaxLoss
        );
    }

    private static StoredProof? Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<StoredProof>(File.ReadAllText(file), Json) : null;
        }
        catch (JsonException)
        {
            // Not by this version: it is made again.
            return null;
        }
    }

    /// <summary>All that the figures depend on, but for the speed.</summary>
    /// <param name="Source">Hash of the recipe of the float vectors.</param>
    /// <param name="Int8">Hash of the recipe of the int8 vectors.</param>
    /// <param name="Photos">SHA-256 of the compared photos' paths, labels, splits and bytes.</param>
    private sealed record ProofKey(string Source, string Int8, string Photos, long MaxBytes, long MaxPixels, double MaxLoss);

    private sealed record StoredProof(ProofKey Key, QuantizationProof Proof);
}
