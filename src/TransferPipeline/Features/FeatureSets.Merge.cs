namespace TransferPipeline.Features;

internal static partial class FeatureSets
{
    /// <summary>Missing shards that an error names.</summary>
    private const int MostListed = 10;

    /// <summary>
    /// Joins the shards of one dataset, or sets of different datasets, of one recipe. Parts are copied as they are; the rows of shards
    /// stand in the order of one undivided run, those of other sets one set after the other.
    /// </summary>
    /// <exception cref="BadInputException">The recipes differ, a set is incomplete, a shard is missing, or two sets have the same
    /// photo.</exception>
    public static FeatureSet Merge(
        IReadOnlyList<string> inputs,
        string output,
        IFeatureTable table,
        Action<string>? message = null,
        CancellationToken cancellation = default
    )
    {
        if (inputs.Count == 0)
            throw new UsageException("features merge needs at least one feature set");
        var folders = inputs.Select(i => OutputTarget.Real(Path.TrimEndingDirectorySeparator(Path.GetFullPath(i)))).ToList();
        for (var i = 0; i < folders.Count; i++)
        {
            if (folders.IndexOf(folders[i]) is var first && first < i)
                throw new BadInputException($"features merge: {inputs[i]} and {inputs[first]} are one feature set; give each set once");
        }

        var sets = inputs.Select(i => FeatureSet.Open(i, table)).ToList();
        // All checks that read only come before the first byte is written.
        RequireSameRecipe(sets);
        var shards = RequireAllShards(sets);
        foreach (var set in sets)
        {
            foreach (var part in set.Manifest.Parts)
                set.RequireShape(part);
        }

        // Machines have their own paths for one dataset, so that this may be right.
        if (shards && sets.DistinctBy(s => s.Manifest.Dataset).Take(2).ToList() is [var one, var two])
            message?.Invoke(
                $"{one.Folder} was extracted from {one.Manifest.Dataset}, {two.Folder} from {two.Manifest.Dataset}; names, labels and "
                    + "splits are the same, the photos must be too: 'transfer features verify SET --photos --data DIR' compares them"
            );
        var offsets = Offsets(sets, shards);
        RequireDistinct(sets, offsets);
        if (Merged(sets, offsets, output, table) is { } done)
        {
            message?.Invoke($"{output} holds what this merge would make");
            return done;
        }

        try
        {
            Directory.CreateDirectory(output);
            using var held = FolderLock.Take(output, TimeSpan.Zero, message ?? (static _ => { }), cancellation);
            var manifest = Begin(sets, output);
            var parts = new List<FeaturePart>();
            var failed = new List<(int, FailedRow)>();
            for (var s = 0; s < sets.Count; s++)
            {
                foreach (var part in sets[s].Manifest.Parts)
                {
                    cancellation.ThrowIfCancellationRequested();
                    parts.Add(Copy(sets[s], part, output, parts.Count, offsets[s]));
                }

                if (sets[s].Manifest.Failed is { } list && sets[s].FileProblem(list) is { } problem)
                    throw new BadInputException($"{sets[s].Folder}: {problem}; extract that set again");
                var before = failed.Count;
                failed.AddRange(sets[s].LoadFailed().Select((f, i) => (before + i, f)));
            }

            manifest = manifest with { Parts = parts, NextPart = parts.Count };
            var writer = new SetWriter(output, manifest, null, failed, null, table);
            writer.Finish(complete: true, _ => Sum(sets));
            return new(output, writer.Manifest, table);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{output} cannot be written ({e.Message}); merge again when that is cured", e);
        }
    }

    /// <summary>Makes the folder a feature set without rows, so that a merge that is killed can be done again.</summary>
    private static FeatureManifest Begin(List<FeatureSet> sets, string output)
    {
        var before = FeatureManifest.Read(output);
        if (before is null)
            SetWriter.RequireOwn(output);
        else if (before.Parts.Count > 0 || before.Complete)
            throw new BadInputException($"{output} holds a feature set already: merge into another folder");
        var first = sets[0].Manifest;
        var manifest = first with
        {
            Complete = false,
            Shard = null,
            ShardOf = null,
            Dataset = string.Join(", ", sets.Select(s => s.Manifest.Dataset).Distinct()),
            // Options find the photos of one dataset; for several there are none that hold.
            DatasetOptions = sets.DistinctBy(s => s.Manifest.Dataset).Count() == 1 ? sets[0].Manifest.DatasetOptions : null,
            Classes = [.. sets.SelectMany(s => s.Manifest.Classes).Distinct().Order(StringComparer.Ordinal)],
            DecodedBy = sets.SelectMany(s => s.Manifest.DecodedBy ?? []).Distinct().ToList() is { Count: > 0 } libraries ? libraries : null,
            Parts = [],
            Failed = null,
            NextPart = 0,
            Cost = new(),
        };
        manifest.Write(output);
        SetWriter.RemoveStrays(output, manifest);
        return manifest;
    }

    private static FeaturePart Copy(FeatureSet set, FeaturePart part, string output, int number, int offset)
    {
        var name = SetWriter.PartName(number);
        DurableFile.Write(
            Path.Combine(output, name),
            temporary =>
            {
                File.Copy(set.Existing(part), temporary, overwrite: true);
                // The copy is hashed and not the source, which may change while it is copied.
                if (DurableFile.Hash(temporary) != (part.Bytes, part.Sha256))
                    throw new BadInputException(
                        $"{set.Folder}: {part.File} is damaged: its SHA-256 is not the one in the manifest; extract that set again"
                    );
            }
        );
        return part with { File = name, Order = OrderOf(set, part, offset) };
    }

    private static string OrderOf(FeatureSet set, FeaturePart part, int offset)
    {
        var positions = RowOrder.Parse(part, set.Folder);
        for (var i = 0; i < positions.Length; i++)
            positions[i] += offset;
        return RowOrder.Format(positions);
    }

    /// <summary>The set that an earlier merge of the same sets made: a cluster may start a job again that had ended.</summary>
    private static FeatureSet? Merged(List<FeatureSet> sets, int[] offsets, string output, IFeatureTable table)
    {
        if (FeatureManifest.Read(output) is not { Complete: true } manifest || sets[0].Recipe.Differences(manifest.Recipe).Count > 0)
            return null;
        var parts = sets.SelectMany((set, s) => set.Manifest.Parts.Select(p => (p.Sha256, OrderOf(set, p, offsets[s]))));
        if (
            !parts.SequenceEqual(manifest.Parts.Select(p => (p.Sha256, p.Order)))
            || (manifest.Failed?.Rows ?? 0) != sets.Sum(s => s.Manifest.Failed?.Rows ?? 0)
        )
            return null;
        var merged = new FeatureSet(output, manifest, table);
        return manifest.Parts.All(p => merged.FileProblem(p) is null) ? merged : null;
    }

    private static void RequireSameRecipe(List<FeatureSet> sets)
    {
        foreach (var set in sets.Skip(1))
        {
            if (sets[0].Recipe.Differences(set.Recipe) is [var difference, ..])
                throw new BadInputException(
                    $"{set.Folder} and {sets[0].Folder} have different recipes: {difference.Field} is {difference.New} in the first, "
                        + $"{difference.Old} in the second; only sets of one recipe can be merged"
                );
            if (set.Dimension != sets[0].Dimension)
                throw new BadInputException($"{set.Folder} has vectors of {set.Dimension} values, {sets[0].Folder} of {sets[0].Dimension}");
        }

        if (sets.Find(s => !s.Manifest.Complete) is { } incomplete)
            throw new BadInputException($"{incomplete.Folder} is not complete: run its extraction again, then merge");
    }

    /// <summary>True when the sets are the shards of one dataset.</summary>
    private static bool RequireAllShards(List<FeatureSet> sets)
    {
        var shards = sets.Select(s => s.Manifest.Shard is { } text ? Shard.Parse(text) : default).ToList();
        if (shards.TrueForAll(s => s == default))
            return false;
        var count = shards.Max(s => s.Count);
        // A set that is no shard has count 0 here and so differs from every shard.
        if (shards.FindIndex(s => s.Count != count) is >= 0 and var other)
            throw new BadInputException(
                $"{sets[other].Folder} is {(shards[other] == default ? "no shard" : $"shard {shards[other]}")}, others are one of "
                    + $"{count}: merge the shards of one dataset"
            );
        if (shards.GroupBy(s => s).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new BadInputException($"shard {twice.Key} is given twice");
        RequireOneList(sets);
        var missing = count - shards.Count;
        if (missing == 0)
            return true;
        // A few of them: a mistyped number of shards can be any.
        var first = Enumerable.Range(1, count).Except(shards.Select(s => s.Number)).Take(MostListed).ToList();
        var listed = string.Join(", ", first) + (missing > first.Count ? $" and {missing - first.Count} more" : "");
        throw new BadInputException(
            (missing == 1 ? $"shard {listed} of {count} is" : $"shards {listed} of {count} are")
                + $" missing: extract with --shard {first[0]}/{count}"
        );
    }

    /// <summary>
    /// Photos that come or go between two extractions move the limits of all shards, and photos beside a limit would be in none.
    /// </summary>
    private static void RequireOneList(List<FeatureSet> sets)
    {
        var known = sets.Where(s => s.Manifest.ShardOf is not null).ToList();
        if (known.Find(s => s.Manifest.ShardOf != known[0].Manifest.ShardOf) is { } other)
            throw new BadInputException(
                $"{other.Folder} and {known[0].Folder} are shards of different datasets: photos, labels or splits differ or were changed "
                    + "between the extractions; extract every shard again, which computes only what is new"
            );
    }

    private static int[] Offsets(List<FeatureSet> sets, bool shards)
    {
        var offsets = new int[sets.Count];
        // Behind the highest position and not the number of rows: photos that failed leave gaps.
        for (var (s, end) = (0, 0L); s < sets.Count; s++)
        {
            offsets[s] = shards ? 0 : (int)end;
            end = offsets[s] + 1L + sets[s].Manifest.Parts.SelectMany(p => RowOrder.Parse(p, sets[s].Folder)).DefaultIfEmpty(-1).Max();
            if (end > Array.MaxLength)
                throw new BadInputException(
                    $"{sets[s].Folder}: its positions and those of the sets before it go up to {end}, expected at most {Array.MaxLength}"
                );
        }

        return offsets;
    }

    private static void RequireDistinct(List<FeatureSet> sets, int[] offsets)
    {
        var seen = new Dictionary<(string, int), string>();
        var positions = new Dictionary<int, string>();
        for (var s = 0; s < sets.Count; s++)
        {
            foreach (var row in sets[s].LoadRows())
            {
                if (!seen.TryAdd((row.Path, row.View), sets[s].Folder))
                    throw new BadInputException(
                        $"{sets[s].Folder} and {seen[(row.Path, row.View)]} both have {row.Path}: a photo can be in one set only"
                    );
            }

            foreach (var position in sets[s].Manifest.Parts.SelectMany(p => RowOrder.Parse(p, sets[s].Folder)))
            {
                if (!positions.TryAdd(position + offsets[s], sets[s].Folder))
                    throw new BadInputException(
                        $"{sets[s].Folder} and {positions[position + offsets[s]]} are shards of different datasets: both have a photo "
                            + $"number {position}"
                    );
            }
        }
    }

    private static ExtractionCost Sum(List<FeatureSet> sets)
    {
        var costs = sets.ConvertAll(s => s.Manifest.Cost);
        return new(
            costs.Sum(c => c.Photos),
            Math.Round(costs.Sum(c => c.Seconds), 3),
            Math.Round(costs.Sum(c => c.DecodeSeconds), 3),
            Math.Round(costs.Sum(c => c.PreprocessSeconds), 3),
            Math.Round(costs.Sum(c => c.InferSeconds), 3),
            costs.Max(c => c.Workers),
            string.Join(", ", costs.Select(c => c.Device).Distinct())
        );
    }
}
