using System.Diagnostics;
using System.Reflection;
using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>Stage 1: brings feature sets on disk up to date with a dataset, computing only the vectors that are not there.</summary>
public static class Extractor
{
    /// <summary>Extracts what is missing; one result for each output of the job.</summary>
    /// <exception cref="UsageException">Two outputs with one folder, or preprocessing of another size than the backbone's input.</exception>
    /// <exception cref="BadInputException">A folder is not a feature set, or from a newer version.</exception>
    /// <exception cref="JobFailedException">Another run holds the folder, it cannot be written, or too many photos failed; what was computed is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was computed is kept.</exception>
    public static IReadOnlyList<ExtractionResult> Run(ExtractionJob job, ExtractionOptions? options = null, CancellationToken cancellation = default) =>
        Run(job, options ?? new(), ExtractionEngines.Create, cancellation);

    /// <param name="createEngine">Makes what runs the backbone; called only when there is something to compute.</param>
    internal static IReadOnlyList<ExtractionResult> Run(ExtractionJob job, ExtractionOptions options, EngineFactory createEngine, CancellationToken cancellation)
    {
        if (job.Outputs.DistinctBy(o => Path.GetFullPath(o.Folder)).Count() != job.Outputs.Count || job.Outputs.Count == 0)
            throw new UsageException("each cut needs a folder of its own");
        var clock = Stopwatch.StartNew();
        var sets = new List<Target>();
        try
        {
            for (var i = 0; i < job.Outputs.Count; i++)
                sets.Add(Target.Open(job, i, options, cancellation));
            return Run(job, options, createEngine, sets, clock, cancellation);
        }
        finally
        {
            sets.ForEach(s => s.Lock.Dispose());
        }
    }

    private static List<ExtractionResult> Run(ExtractionJob job, ExtractionOptions options, EngineFactory createEngine, List<Target> sets, Stopwatch clock, CancellationToken cancellation)
    {
        var targets = new ExtractionTargets(job.Dataset, job.Views?.Count ?? 0, options.Shard);
        var hashes = new PhotoHashes(job.Dataset);
        var plans = sets.ConvertAll(s => ResumePlan.Make(s.Old, targets, job.Decode, options.Rehash ? null : s.Stamps, hashes, options.Message, cancellation));
        for (var i = 0; i < sets.Count; i++)
            sets[i].RequireCommonPhotos(plans[i], job.Dataset);
        var model = plans.Exists(p => p.AnyMissing) ? OpenModel(job, options) : null;
        var writers = new List<SetWriter>();
        for (var i = 0; i < sets.Count; i++)
            writers.Add(sets[i].Writer(job, options, plans[i], model?.Outputs[i].Dimension));
        ExtractionPass? pass = null;
        using var engine = model is null ? null : createEngine(job, options, model, plans.Max(p => p.Missing.Cast<bool>().Count(m => m)));
        try
        {
            Guard(sets[0].Folder, () =>
            {
                for (var i = 0; i < sets.Count; i++)
                    writers[i].Keep(plans[i].Kept, sets[i].Old);
            });
            if (model is not null)
            {
                pass = new(job, options, engine!, model, writers, plans, targets);
                pass.Run(cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            Finish(complete: false);
            throw;
        }

        Finish(complete: true);
        var results = sets.Select((s, i) => new ExtractionResult(
            s.Folder, writers[i].Manifest.Dimension, pass?.Computed[i] ?? 0, plans[i].Reused, writers[i].FailedCount, plans[i].Removed,
            clock.Elapsed.TotalSeconds, s.Differences)
        {
            ComputeSeconds = pass?.Rate.Seconds ?? 0,
            ComputeProcessorSeconds = pass?.Rate.ProcessorSeconds ?? 0,
        }).ToList();
        RequireFewFailures(writers[0], targets.EndEntry - targets.FirstEntry, options);
        return results;

        void Finish(bool complete) => Guard(sets[0].Folder, () =>
        {
            for (var i = 0; i < sets.Count; i++)
            {
                var computed = pass?.Computed[i] ?? 0;
                writers[i].Finish(complete, cost => computed == 0 ? cost : Sum(cost, computed, pass!.Times, clock, job, engine!.Decoders));
                if (!plans[i].IsConfirmed)
                    sets[i].WriteStamps(targets, job.Table);
            }
        });
    }

    private static ExtractionCost Sum(ExtractionCost cost, int computed, WorkerTimes times, Stopwatch clock, ExtractionJob job, int threads) => new(
        cost.Photos + computed,
        Rounded(cost.Seconds + clock.Elapsed.TotalSeconds),
        Rounded(cost.DecodeSeconds + times.DecodeSeconds),
        Rounded(cost.PreprocessSeconds + times.PreprocessSeconds),
        Rounded(cost.InferSeconds + times.InferSeconds),
        threads,
        job.Device.ToString());

    private static double Rounded(double seconds) => Math.Round(seconds, 3);

    private static CutModel OpenModel(ExtractionJob job, ExtractionOptions options)
    {
        SessionFactory.RequireDevice(job.Device);
        var model = job.OpenModel();
        if (model.BatchMessage is { } message)
            options.Message(message);
        var preprocessor = new Preprocessor(job.Preprocessing);
        if (preprocessor.OutputWidth != model.InputWidth || preprocessor.OutputHeight != model.InputHeight)
        {
            var size = preprocessor.OutputWidth == 0 ? "photos of differing sizes" : $"{preprocessor.OutputHeight} x {preprocessor.OutputWidth} pixels";
            throw new UsageException($"the preprocessing gives {size}, {job.Model} takes {model.InputHeight} x {model.InputWidth}: set its crop to that size");
        }

        return model;
    }

    private static void RequireFewFailures(SetWriter writer, int photos, ExtractionOptions options)
    {
        if (writer.FirstFailed is not { } first)
            return;
        if (photos == 0 || writer.FailedCount <= options.MaxFailedShare * photos)
        {
            options.Message($"{writer.FailedCount} of {photos} photos could not be used; first {first.Path}: {first.Reason}; 'transfer features show {writer.Folder}' lists all");
            return;
        }

        throw new JobFailedException(
            $"{writer.FailedCount} of {photos} photos could not be used, more than the limit of {options.MaxFailedShare:P0}; first {first.Path}: {first.Reason}; "
            + $"'transfer features show {writer.Folder}' lists all, and the {writer.Manifest.Rows} vectors of the others are kept");
    }

    /// <summary>Turns what the file system says into one line.</summary>
    private static void Guard(string folder, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{folder} cannot be written ({e.Message}); what was committed before is kept", e);
        }
    }

    /// <summary>One feature set that this run holds the lock of.</summary>
    private sealed record Target(string Folder, FolderLock Lock, FeatureSet? Old, PhotoStamps Stamps, Recipe Recipe, IReadOnlyList<RecipeDifference> Differences)
    {
        public static Target Open(ExtractionJob job, int output, ExtractionOptions options, CancellationToken cancellation)
        {
            var recipe = job.RecipeOf(output);
            var (folder, differences) = FeatureSets.Locate(job.Outputs[output].Folder, recipe, options.NewSetBeside, options.Message);
            FolderLock? held = null;
            Guard(folder, () =>
            {
                Directory.CreateDirectory(folder);
                held = FolderLock.Take(folder, options.LockWait, options.Message, cancellation);
            });
            try
            {
                var manifest = FeatureManifest.Read(folder);
                if (manifest is null)
                    SetWriter.RequireOwn(folder);
                else if (manifest.Recipe.Differences(recipe) is [var difference, ..])
                    throw FeatureSets.OtherRecipe(folder, difference);
                else
                    RequireSameShard(folder, manifest, options.Shard);
                Guard(folder, () => SetWriter.RemoveStrays(folder, manifest));
                return new(folder, held!, manifest is null ? null : new(folder, manifest, job.Table), PhotoStamps.Read(folder), recipe, differences);
            }
            catch
            {
                held!.Dispose();
                throw;
            }
        }

        /// <summary>Vectors of photos that lie outside the shard would be dropped.</summary>
        private static void RequireSameShard(string folder, FeatureManifest manifest, Shard shard)
        {
            if (shard != Shard.Whole && manifest.Shard != shard.ToString() && manifest.Rows > 0)
                throw new UsageException($"{folder} holds {(manifest.Shard is { } other ? $"shard {other}" : "the vectors of all photos")}, which shard {shard} would drop: give each shard a folder of its own with --out");
        }

        /// <summary>A set of wholly other photos is somebody's work; photos that went or were added one by one are not.</summary>
        public void RequireCommonPhotos(ResumePlan plan, Dataset dataset)
        {
            if (Old is null || plan.Reused > 0 || plan.Removed == 0)
                return;
            var paths = dataset.Entries.Select(e => e.Path).ToHashSet(StringComparer.Ordinal);
            if (!Old.LoadRows().Any(r => paths.Contains(r.Path)))
                throw new BadInputException($"{Folder} holds {plan.Removed} vectors of other photos (of {Old.Manifest.Dataset}), none of which is in {dataset.Source}: they would be dropped; choose another folder with --out, or delete this one");
        }

        public SetWriter Writer(ExtractionJob job, ExtractionOptions options, ResumePlan plan, int? dimension)
        {
            var before = Old?.Manifest;
            var manifest = (before ?? new() { Recipe = Recipe, Dimension = dimension ?? throw new BadInputException($"{job.Dataset.Source} has no photos") }) with
            {
                Program = Program,
                Dataset = job.Dataset.Source,
                DatasetOptions = job.Dataset.Options?.ForReading(),
                Shard = options.Shard == Shard.Whole ? null : options.Shard.ToString(),
                Recipe = Recipe,
                DecodedBy = plan.AnyMissing ? [.. (before?.DecodedBy ?? []).Union([job.Decoder.Libraries])] : before?.DecodedBy,
                Classes = job.Dataset.Classes,
                MaxBytes = job.Decode.MaxBytes,
                MaxPixels = job.Decode.MaxPixels,
            };
            if (dimension is { } d && d != manifest.Dimension)
                throw new BadInputException($"{Folder} holds vectors of {manifest.Dimension} values, the backbone gives {d}: extract into another folder");
            return new(Folder, manifest, before?.ToJson(), plan.Failed, before is null ? null : FailedOnDisk(), job.Table);
        }

        /// <summary>Notes what the file system said of the photos that are in the set now.</summary>
        public void WriteStamps(ExtractionTargets targets, IFeatureTable table)
        {
            var set = FeatureSet.Open(Folder, table);
            var hashes = set.LoadRows().Where(r => r.View == 0).Select(r => (r.Path, r.ImageSha256))
                .Concat(set.LoadFailed().Select(f => (f.Path, f.ImageSha256)))
                .DistinctBy(photo => photo.Path).ToDictionary(photo => photo.Path, photo => photo.ImageSha256, StringComparer.Ordinal);
            Stamps.Write(Folder, Photos(), targets.LookedAt);

            IEnumerable<(string, PhotoStamp, FileChange?, string)> Photos()
            {
                for (var entry = targets.FirstEntry; entry < targets.EndEntry; entry++)
                {
                    var path = targets.Dataset.Entries[entry].Path;
                    if (hashes.TryGetValue(path, out var sha256) && sha256.Length > 0)
                        yield return (path, targets.Stamps[entry], targets.Changes[entry], sha256);
                }
            }
        }

        private List<FailedRow>? FailedOnDisk() =>
            Old!.Manifest.Failed is { } failed && Old.FileProblem(failed) is null ? [.. Old.LoadFailed()] : null;
    }

    private static string Program { get; } =
        $"TransferPipeline {typeof(Extractor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion}";
}
