using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction;

/// <summary>Stage 1: brings feature sets on disk up to date with a dataset, computing only the vectors that are not there.</summary>
internal static class Extractor
{
    /// <summary>Extracts what is missing; one result for each output of the spec.</summary>
    /// <exception cref="UsageException">Two outputs with one folder, or preprocessing of another size than the backbone's
    /// input.</exception>
    /// <exception cref="BadInputException">A folder is not a feature set, or from a newer version.</exception>
    /// <exception cref="JobFailedException">Another run holds the folder, it cannot be written, or too many photos failed; what was
    /// computed is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was computed is kept.</exception>
    public static IReadOnlyList<ExtractionResult> Run(
        ExtractionSpec spec,
        ExtractionOptions? options = null,
        CancellationToken cancellation = default
    ) => Run(spec, options ?? new(), ExtractionEngines.Create, cancellation);

    /// <param name="createEngine">Makes what runs the backbone; called only when there is something to compute.</param>
    internal static IReadOnlyList<ExtractionResult> Run(
        ExtractionSpec spec,
        ExtractionOptions options,
        EngineFactory createEngine,
        CancellationToken cancellation
    )
    {
        if (spec.Outputs.DistinctBy(o => Path.GetFullPath(o.Folder)).Count() != spec.Outputs.Count || spec.Outputs.Count == 0)
            throw new UsageException("each cut needs a folder of its own");
        foreach (var note in spec.Notes)
            options.Message(note);
        // 1. Lock and read every set before anything is computed: a folder that is in use or foreign costs no work.
        var clock = Stopwatch.StartNew();
        var sets = new List<OpenSet>();
        try
        {
            for (var i = 0; i < spec.Outputs.Count; i++)
                sets.Add(OpenSet.Open(spec, i, options, cancellation));
            return Run(spec, options, createEngine, sets, clock, cancellation);
        }
        finally
        {
            sets.ForEach(s => s.Lock.Dispose());
        }
    }

    private static List<ExtractionResult> Run(
        ExtractionSpec spec,
        ExtractionOptions options,
        EngineFactory createEngine,
        List<OpenSet> sets,
        Stopwatch clock,
        CancellationToken cancellation
    )
    {
        // 2. What should be there, and what of it is there already. A hash of a photo serves all sets.
        var wanted = new WantedVectors(spec.Dataset, spec.Views?.Count ?? 0, options.Shard);
        var hashes = new PhotoHashes(spec.Dataset);
        var plans = sets.ConvertAll(s =>
            ResumePlan.Make(s.Old, wanted, spec.Decode, options.Rehash ? null : s.Stamps, hashes, options.Message, cancellation)
        );
        for (var i = 0; i < sets.Count; i++)
            sets[i].RequireCommonPhotos(plans[i], spec.Dataset);
        // 3. The backbone is opened for missing vectors alone: an unchanged set needs neither the network nor a GPU.
        var model = plans.Exists(p => p.AnyMissing) ? OpenModel(spec, options) : null;
        List<ExtractionTarget> targets = [.. sets.Select((s, i) => s.Target(spec, options, plans[i], model?.Outputs[i]))];
        ExtractionPass? pass = null;
        using var engine = model is null ? null : createEngine(spec, options, model, plans.Max(p => p.Missing.Cast<bool>().Count(m => m)));
        try
        {
            ReportWriteErrors(
                sets[0].Folder,
                () =>
                {
                    foreach (var (target, set) in targets.Zip(sets))
                        // 4. Reused rows are committed before new ones are computed:
                        // a kill from here on leaves a set that the next run continues.
                        target.Writer.Keep(target.Plan.Kept, set.Old);
                }
            );
            if (engine is not null)
            {
                pass = new(spec, options, targets, wanted, engine.RowsInFlight);
                pass.Run(engine, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // An interrupted run commits too: the manifest then states that the set is not complete.
            Finish(complete: false);
            throw;
        }

        Finish(complete: true);
        var results = targets
            .Zip(
                sets,
                (target, set) =>
                    new ExtractionResult(
                        set.Folder,
                        target.Writer.Manifest.Dimension,
                        target.Computed,
                        target.Plan.Reused,
                        target.Writer.FailedCount,
                        target.Plan.Removed,
                        clock.Elapsed.TotalSeconds,
                        set.Differences
                    )
                    {
                        ComputeSeconds = pass?.Rate.Seconds ?? 0,
                        ComputeProcessorSeconds = pass?.Rate.ProcessorSeconds ?? 0,
                    }
            )
            .ToList();
        foreach (var target in targets.Where(t => t.IsConstant))
            options.Message(
                $"{target.Writer.Folder}: all {target.Computed} vectors computed are the same: check the preprocessing and the cut of "
                    + $"{spec.Model} with 'transfer inspect'"
            );
        // After the commit, so that a run with too many failures keeps the vectors of the other photos.
        RequireFewFailures(targets[0].Writer, wanted.EndEntry - wanted.FirstEntry, options);
        return results;

        void Finish(bool complete) =>
            ReportWriteErrors(
                sets[0].Folder,
                () =>
                {
                    foreach (var (target, set) in targets.Zip(sets))
                    {
                        target.Writer.Finish(
                            complete,
                            cost => target.Computed == 0 ? cost : Sum(cost, target.Computed, pass!.Times, clock, spec, engine!.Decoders)
                        );
                        // Stamps last: a stamp for a vector that was not committed would call it unchanged.
                        if (options.WritesStamps && !target.Plan.IsConfirmed)
                            set.WriteStamps(wanted, spec.Table, options.Message);
                    }
                }
            );
    }

    private static ExtractionCost Sum(
        ExtractionCost cost,
        int computed,
        WorkerTimes times,
        Stopwatch clock,
        ExtractionSpec spec,
        int threads
    ) =>
        new(
            cost.Photos + computed,
            Rounded(cost.Seconds + clock.Elapsed.TotalSeconds),
            Rounded(cost.DecodeSeconds + times.DecodeSeconds),
            Rounded(cost.PreprocessSeconds + times.PreprocessSeconds),
            Rounded(cost.InferSeconds + times.InferSeconds),
            threads,
            spec.Device.ToString()
        );

    private static double Rounded(double seconds) => Math.Round(seconds, 3);

    private static CutModel OpenModel(ExtractionSpec spec, ExtractionOptions options)
    {
        // First: without the device's libraries it would be useless to read the backbone. And tf32 has to be permitted
        // before the precision check makes a session in fp32, which would forbid it to the process.
        SessionFactory.RequireDevice(spec.Device);
        var model = spec.OpenModel();
        if (model.BatchMessage is { } message)
            options.Message(message);
        var preprocessor = new Preprocessor(spec.Preprocessing);
        if (preprocessor.OutputWidth != model.InputWidth || preprocessor.OutputHeight != model.InputHeight)
        {
            var size =
                preprocessor.OutputWidth == 0
                    ? "photos of differing sizes"
                    : $"{preprocessor.OutputHeight} x {preprocessor.OutputWidth} pixels";
            throw new UsageException(
                $"the preprocessing gives {size}, {spec.Model} takes {model.InputHeight} x {model.InputWidth}: set its crop to that size"
            );
        }

        return model;
    }

    private static void RequireFewFailures(SetWriter writer, int photos, ExtractionOptions options)
    {
        if (writer.FirstFailed is not { } first)
            return;
        if (photos == 0 || writer.FailedCount <= options.MaxFailedShare * photos)
        {
            options.Message(
                $"{writer.FailedCount} of {photos} photos could not be used; first {first.Path}: {first.Reason}; 'transfer features "
                    + $"show {writer.Folder}' lists all"
            );
            return;
        }

        throw new JobFailedException(
            $"{writer.FailedCount} of {photos} photos could not be used, more than the limit of "
                + $"{FormattableString.Invariant($"{100 * options.MaxFailedShare:0.####}")} %; first "
                + $"{first.Path}: {first.Reason}; "
                + $"'transfer features show {writer.Folder}' lists all, and the {writer.Manifest.Rows} vectors of the others are kept"
        );
    }

    /// <summary>Turns what the file system reports into one line.</summary>
    private static void ReportWriteErrors(string folder, Action action)
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
    private sealed record OpenSet(
        string Folder,
        FolderLock Lock,
        FeatureSet? Old,
        PhotoStamps Stamps,
        Recipe Recipe,
        IReadOnlyList<RecipeDifference> Differences
    )
    {
        public static OpenSet Open(ExtractionSpec spec, int output, ExtractionOptions options, CancellationToken cancellation)
        {
            var recipe = spec.RecipeOf(output);
            var (folder, differences) = FeatureSets.Locate(spec.Outputs[output].Folder, recipe, options.NewSetBeside, options.Message);
            FolderLock? held = null;
            ReportWriteErrors(
                folder,
                () =>
                {
                    Directory.CreateDirectory(folder);
                    held = FolderLock.Take(folder, options.LockWait, options.Message, cancellation);
                }
            );
            try
            {
                var manifest = FeatureManifest.Read(folder);
                if (manifest is null)
                    SetWriter.RequireOwn(folder);
                // Checked under the lock, since another run may have made the set after it was located.
                else if (manifest.Recipe.Differences(recipe) is [var difference, ..])
                    throw FeatureSets.OtherRecipe(folder, difference);
                else
                    RequireSameShard(folder, manifest, options.Shard);
                // Under the lock, where temporary files can only be those of a killed run.
                ReportWriteErrors(folder, () => SetWriter.RemoveStrays(folder, manifest));
                return new(
                    folder,
                    held!,
                    manifest is null ? null : new(folder, manifest, spec.Table),
                    PhotoStamps.Read(folder),
                    recipe,
                    differences
                );
            }
            catch
            {
                // Nobody else would release it: the set is not in the caller's list yet.
                held!.Dispose();
                throw;
            }
        }

        /// <summary>Vectors of photos that lie outside the shard would be dropped.</summary>
        private static void RequireSameShard(string folder, FeatureManifest manifest, Shard shard)
        {
            if (shard != Shard.Whole && manifest.Shard != shard.ToString() && manifest.Rows > 0)
                throw new UsageException(
                    $"{folder} holds {(manifest.Shard is { } other ? $"shard {other}" : "the vectors of all photos")}, which shard "
                        + $"{shard} would drop: give each shard a folder of its own with --out"
                );
        }

        /// <summary>A set of wholly other photos is somebody's work; photos that went or were added one by one are not.</summary>
        public void RequireCommonPhotos(ResumePlan plan, Dataset dataset)
        {
            if (Old is null || plan.Reused > 0 || plan.Removed == 0)
                return;
            var paths = dataset.Entries.Select(e => e.Path).ToHashSet(StringComparer.Ordinal);
            if (!Old.LoadRows().Any(r => paths.Contains(r.Path)))
                throw new BadInputException(
                    $"{Folder} holds {plan.Removed} vectors of other photos (of {Old.Manifest.Dataset}), none of which is in "
                        + $"{dataset.Source}: they would be dropped; choose another folder with --out, or delete this one"
                );
        }

        public ExtractionTarget Target(ExtractionSpec spec, ExtractionOptions options, ResumePlan plan, CutOutput? cut)
        {
            var before = Old?.Manifest;
            var manifest = (
                before
                ?? new()
                {
                    Recipe = Recipe,
                    Dimension = cut?.Dimension ?? throw new BadInputException($"{spec.Dataset.Source} has no photos"),
                }
            ) with
            {
                Program = AssemblyVersion.Program,
                Dataset = spec.Dataset.Source,
                DatasetOptions = spec.Dataset.Options?.ForReading(),
                Shard = options.Shard == Shard.Whole ? null : options.Shard.ToString(),
                ShardOf = options.Shard == Shard.Whole ? null : Shard.HashOf(spec.Dataset),
                Recipe = Recipe,
                // Vectors that are kept were decoded by the libraries that are listed already.
                DecodedBy = plan.AnyMissing ? [.. (before?.DecodedBy ?? []).Union([spec.Decoder.Libraries])] : before?.DecodedBy,
                Classes = spec.Dataset.Classes,
                MaxBytes = spec.Decode.MaxBytes,
                MaxPixels = spec.Decode.MaxPixels,
            };
            if (cut?.Dimension is { } d && d != manifest.Dimension)
                throw new BadInputException(
                    $"{Folder} holds vectors of {manifest.Dimension} values, the backbone gives {d}: extract into another folder"
                );
            return new(new(Folder, manifest, before?.ToJson(), plan.Failed, before is null ? null : FailedOnDisk(), spec.Table), plan, cut);
        }

        /// <summary>Notes what the file system reported about the photos that are in the set now.</summary>
        public void WriteStamps(WantedVectors wanted, IFeatureTable table, Action<string> message)
        {
            var set = FeatureSet.Open(Folder, table);
            var hashes = set.LoadRows()
                .Where(r => r.View == 0)
                .Select(r => (r.Path, r.ImageSha256))
                .Concat(set.LoadFailed().Select(f => (f.Path, f.ImageSha256)))
                .DistinctBy(photo => photo.Path)
                .ToDictionary(photo => photo.Path, photo => photo.ImageSha256, StringComparer.Ordinal);
            try
            {
                Stamps.Write(Photos(), wanted.LookedAt);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The vectors are committed and right, so that missing stamps are no error.
                message($"{PhotoStamps.FileOf(Folder)} cannot be written ({e.FirstLine()}): the next run hashes all photos again");
            }

            IEnumerable<(string, PhotoStamp, FileChange?, string)> Photos()
            {
                for (var entry = wanted.FirstEntry; entry < wanted.EndEntry; entry++)
                {
                    var path = wanted.Dataset.Entries[entry].Path;
                    if (hashes.TryGetValue(path, out var sha256) && sha256.Length > 0)
                        yield return (path, wanted.Stamps[entry], wanted.Changes[entry], sha256);
                }
            }
        }

        private List<FailedRow>? FailedOnDisk() =>
            Old!.Manifest.Failed is { } failed && Old.FileProblem(failed) is null ? [.. Old.LoadFailed()] : null;
    }
}
