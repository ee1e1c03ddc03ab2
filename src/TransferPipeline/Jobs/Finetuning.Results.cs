using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Classifiers;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Images;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <content>Writes and checks what was trained.</content>
internal sealed partial class Finetuning
{
    private FinetuneResult Finish(ITunedPart part, TuningPhotos photos, TuningRun run, Predictions? frozen, Stopwatch clock)
    {
        var file = Path.GetFullPath(_request.File);
        var weights = part.Weights();
        var temporary = OutputTarget.OwnTemporary(file);
        var manifest = TunedModelFile.ManifestFile(file);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        OutputTarget.RemoveAbandoned(file);
        try
        {
            TunedModelFile.Write(temporary, _backbone, part.Parameters, weights, MadeBy(run));
            // The check computes activations of its own, in float32. Where all is trained, they are the photo's pixels.
            var (features, difference) = WriteBackCheck.Run(
                file,
                OpenTuned(temporary, _divided.TrainsAll ? [_feature] : [new CutRequest(_divided.Cut, Pooling.None), _feature]),
                _divided,
                part,
                _spec,
                photos,
                Threads,
                _cancellation
            );
            var from = new ExtractedFrom(_backbone.Input, _spec.Preprocessing, _backbone.HasClassifier ? "" : _feature.Cut);
            var stated = TunedModelFile.Manifest(
                file,
                temporary,
                _request.Model,
                from,
                $"fine-tuned above '{_divided.Cut}' by transfer finetune"
            );
            // The manifest comes first: between the two the model is missing or refused for its hash, and never used with a
            // preprocessing that is assumed.
            DurableFile.WriteText(manifest, ManifestYaml.Write(stated));
            DurableFile.Commit(temporary, file);
            var head = Tuned.Head(weights.HeadWeights, weights.HeadBias, _request.Classifier ?? "");
            // On features that ONNX Runtime computed with the written file:
            // the accuracy is that of the result, not of the training.
            var tuned = Predictions.Of(
                head,
                features,
                Array.ConvertAll(photos.Reported, p => photos.Labels[p]),
                [.. Enumerable.Range(0, photos.Reported.Length)],
                Threads
            );
            // Last: when the classifier cannot be written, the next run finds the checkpoint and trains nothing again.
            if (_request.Classifier is { } classifier)
                WriteClassifier(classifier, stated, head, features, photos);
            return Result(file, stated.Sha256, part, photos, run, frozen, tuned, difference, clock);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{file} cannot be written ({e.OneLine()}); the same command goes on from the last epoch", e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private CutModel OpenTuned(string file, IReadOnlyList<CutRequest> cuts) =>
        Backbone.Open(file, new PhotoSize(_spec.Preprocessing.OutputHeight, _spec.Preprocessing.OutputWidth)).Cut(cuts);

    private void WriteClassifier(string classifier, ModelManifest stated, LinearHead head, FeatureMatrix features, TuningPhotos photos)
    {
        var cut = OpenTuned(Path.GetFullPath(_request.File), [_feature]);
        // The recipe that an extraction with the tuned file will have; 'compare --classifier' finds the set by it.
        var recipe = (_spec with { Model = stated.Name, ModelSha256 = stated.Sha256, Views = null }).RecipeOf(0);
        var rows = Spread.Over(photos.Reported.Length, Replay.Photos);
        var probabilities = new float[rows.Length * photos.Classes.Count];
        head.Score(features, rows, probabilities);
        head.ToProbabilities(probabilities);
        using var pass = new PhotoPass(_spec, null, cut.Layout, photos.Rows, Threads);
        var replay = new Replay(
            rows.Length,
            (i, pixels) =>
            {
                // A span cannot be captured by the pass's delegate.
                var read = new float[pixels.Length];
                pass.Run([(photos.Reported[rows[i]], 0)], (_, values, _) => values.CopyTo(read));
                read.CopyTo(pixels);
            },
            probabilities
        );
        ClassifierExport.Write(classifier, cut, head, ClassifierInfo.Of(cut, head, photos.Classes, recipe), replay);
    }

    private FinetuneResult Result(
        string file,
        string sha256,
        ITunedPart part,
        TuningPhotos photos,
        TuningRun run,
        Predictions? frozen,
        Predictions tuned,
        double difference,
        Stopwatch clock
    )
    {
        double? pValue = null;
        if (frozen is not null)
        {
            var (onlyFrozen, onlyTuned) = PairedTests.Discordant(frozen, tuned);
            pValue = PairedTests.McNemar(onlyFrozen, onlyTuned);
        }

        return new(
            file,
            sha256,
            _request.Classifier,
            _request.Model.Name,
            _divided.Cut,
            part.Parameters.Where(p => !p.IsStatistic).Sum(p => p.Count),
            photos.Train.Length,
            frozen is null ? null : Score("softmax on frozen features", frozen),
            Score("tuned", tuned),
            pValue,
            // The file's own words stay plural: they are among its bytes.
            _options.Keep == FinetuneKeep.Average
            && run.KeptCount == 1
                ? "the last epoch"
                : Kept(run),
            run.History,
            difference,
            clock.Elapsed.TotalSeconds
        );
    }

    private static FinetunedScore Score(string title, Predictions predictions)
    {
        var interval = Intervals.Wilson(predictions.CorrectCount, predictions.Count);
        return new(title, predictions.Count, interval.Value, interval.Low, interval.High);
    }

    private string Kept(TuningRun run) =>
        _options.Keep switch
        {
            FinetuneKeep.Average => FormattableString.Invariant($"average of the last {run.KeptCount} epochs"),
            FinetuneKeep.Best => FormattableString.Invariant($"epoch {run.KeptCount}, the best on ")
                + (_options.Watch == FinetuneWatch.HeldOut ? "held-out training photos" : "split validation"),
            _ => FormattableString.Invariant($"epoch {run.KeptCount}, the last"),
        };

    /// <summary>The recipe of its making, the same for the same run.</summary>
    private string MadeBy(TuningRun run)
    {
        // Sorted: these metadata are bytes of the file, and the same run has to write the same bytes.
        var recipe = new SortedDictionary<string, string>(_options.Values().ToDictionary(v => v.Key, v => v.Value), StringComparer.Ordinal)
        {
            ["model"] = _request.Model.Name,
            ["model_sha256"] = _request.Model.Sha256,
            ["tensor"] = _divided.Cut,
            ["classes"] = Classes.ToString(CultureInfo.InvariantCulture),
            ["kept"] = Kept(run),
            ["tuner"] = _tools.Tuners.Find().Version,
            ["program"] = AssemblyVersion.Program,
        };
        if (_divided.Auxiliary is { } early)
            recipe["auxiliary"] = early.Tensor;
        return JsonSerializer.Serialize(recipe, TuningJson.Default.IReadOnlyDictionaryStringString);
    }
}
