using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Jobs;

/// <summary>Compares a quantized backbone with its float form on the user's photos: vectors, classifiers, speed.</summary>
internal sealed class QuantizationTrial(Toolbox tools, int threads, Action<string> message)
{
    /// <summary>Runs of both networks, in turns, of which the best counts.</summary>
    private const int Rounds = 4;

    /// <summary>Seconds of one run.</summary>
    private const double RoundSeconds = 0.4;

    public DecodeOptions Decode { get; init; } = new();

    public PreprocessingOverride? Preprocessing { get; init; }

    /// <param name="photos">Most photos of the dataset that are used, spread over it.</param>
    /// <exception cref="BadInputException">The dataset has no photos to train on or to evaluate on.</exception>
    public QuantizationProof Run(
        ResolvedModel exact,
        ResolvedModel quantized,
        Dataset dataset,
        int photos,
        double maxLoss,
        CancellationToken cancellation
    )
    {
        using var sample = new DatasetSample(dataset, photos);
        var split = HeldOutSplit(sample);
        // A name of its own: two runs at a time would write into each other's sets.
        var scratch = TemporaryPath.New("-int8");
        try
        {
            FeatureSet[] sets =
            [
                Extract(exact, sample, Path.Combine(scratch, "float"), cancellation),
                Extract(quantized, sample, Path.Combine(scratch, "int8"), cancellation),
            ];
            FeatureData[] data = [.. sets.Select(s => s.Load())];
            // Rows are compared by their number.
            if (!data[0].Rows.SequenceEqual(data[1].Rows))
                throw new JobFailedException($"{dataset.Source}: photos were changed while both networks ran on them; run again");
            int[] heldOut = [.. Enumerable.Range(0, data[0].Rows.Count).Where(r => data[0].Rows[r].Split == split)];
            var (cosines, _, neighbours) = FeatureDrift.Agreement(data[0].X.Select(heldOut), data[1].X.Select(heldOut), threads);
            message("training softmax and linear-svm on both");
            var heads = Compare(sets, data, split, heldOut.Length, cancellation);
            message("timing both networks");
            var (floatRate, int8Rate) = Rates(exact, quantized, cancellation);
            return new(
                data[0].Rows.Count(r => r.Split == Splits.Train),
                heldOut.Length,
                cosines.Min(),
                cosines.Average(),
                neighbours,
                heads,
                floatRate,
                int8Rate,
                maxLoss
            );
        }
        finally
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>The split that evaluates both networks: validation, or test where there is no validation.</summary>
    /// <param name="sample">The photos of the proof.</param>
    /// <exception cref="BadInputException">There are no photos to train on or to evaluate on.</exception>
    public static string HeldOutSplit(DatasetSample sample)
    {
        var splits = sample.Entries.CountBy(e => e.Split).ToDictionary();
        var split = splits.ContainsKey(Splits.Validation) ? Splits.Validation : Splits.Test;
        return splits.ContainsKey(Splits.Train) && splits.ContainsKey(split)
            ? split
            : throw new BadInputException(
                $"{sample.Source}: int8 is proven by heads trained on split {Splits.Train} and evaluated on another; found "
                    + $"{string.Join(", ", splits.Select(s => $"{s.Key}: {s.Value}"))}; "
                    + "set --validation-share, or give a dataset with splits"
            );
    }

    private FeatureSet Extract(ResolvedModel model, Dataset photos, string folder, CancellationToken cancellation)
    {
        message($"extracting {photos.Entries.Count} photos with {model.Name}");
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        var options = new ExtractionOptions { Workers = threads, WritesStamps = false };
        return tools.OpenFeatures(Extractor.Run(Specify(model, photos, folder), options, cancellation)[0].Folder);
    }

    /// <summary>The extraction of the vectors that are compared.</summary>
    public ExtractionSpec Specify(ResolvedModel model, Dataset photos, string folder) =>
        tools.Specify(photos, model, [new(CutRequest.Default, folder)], Preprocessing) with
        {
            Decode = Decode,
            Notes = [],
        };

    private List<HeadLoss> Compare(FeatureSet[] sets, FeatureData[] data, string split, int count, CancellationToken cancellation)
    {
        HeadSpec[] heads = [new Softmax(), new LinearSvm()];
        var options = new ComparisonOptions
        {
            Threads = threads,
            ScoreSplit = split,
            Cancellation = cancellation,
        };
        var result = Comparer.Run(options, [.. sets.Zip(data, (set, rows) => new FeatureSource(Summaries.Of(set), rows))], heads).Result;
        // On each set all heads, one set after the other; a head that cannot be trained on one of them is an error of the data.
        if (result.Heads.Count != 2 * heads.Length)
            throw new BadInputException(result.LeftOut[0].Reason);
        return
        [
            .. Enumerable
                .Range(0, heads.Length)
                .Select(h =>
                {
                    var test = result.Tests.First(t => t.First == h && t.Second == h + heads.Length);
                    return new HeadLoss(
                        result.Heads[h].Name,
                        result.Heads[h].Accuracy,
                        result.Heads[h + heads.Length].Accuracy,
                        Intervals.PairedDifference(test.OnlyFirstRight, test.OnlySecondRight, count),
                        test.OnlyFirstRight,
                        test.OnlySecondRight,
                        test.PValue
                    );
                }),
        ];
    }

    /// <summary>Both networks up to the default cut, as an extraction runs them: a batch per thread, in turns.</summary>
    private (double Float, double Int8) Rates(ResolvedModel exact, ResolvedModel quantized, CancellationToken cancellation)
    {
        // Both stay open and take turns, so that a machine that slows down meanwhile slows both.
        using var first = new NetworkClock(Open(exact), threads);
        using var second = new NetworkClock(Open(quantized), threads);
        var (a, b) = (0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            // Other processes can only make a round slower: the fastest one is the closest to the network's own speed.
            (a, b) = (Math.Max(a, first.Measure(RoundSeconds)), Math.Max(b, second.Measure(RoundSeconds)));
        }

        return (a, b);
    }

    private CutModel Open(ResolvedModel model)
    {
        var size = Preprocessing?.Apply(model.Preprocessing) ?? model.Preprocessing;
        return Backbone.Open(model.File, new PhotoSize(size.OutputHeight, size.OutputWidth)).Cut(model.Explicit(CutRequest.Default));
    }
}
