using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>Where activations of photos come from: cached files, or the photos themselves.</summary>
internal interface IActivationSource : IDisposable
{
    /// <summary>Values of one photo.</summary>
    int Values { get; }

    /// <summary>The copy of a photo that an epoch trains on; 0 is the photo as it is.</summary>
    /// <param name="place">The photo's place among those that are trained on, so that an epoch has copies of all kinds.</param>
    /// <param name="epoch">From 0.</param>
    int CopyFor(int photo, int place, int epoch);

    /// <summary>Reads activations one after the other.</summary>
    void Read(IReadOnlyList<(int Photo, int Copy)> wanted, Span<float> to);
}

/// <summary>The photos of a fine-tuning by number, in the order of the dataset.</summary>
/// <param name="Rows">Of the photos as they are.</param>
/// <param name="Labels">Class of each.</param>
/// <param name="Train">Photos that are trained on.</param>
/// <param name="HeldOut">Photos of split train on which the best epoch is chosen; empty for none.</param>
/// <param name="Reported">Photos of split validation.</param>
internal sealed record TuningPhotos(
    IReadOnlyList<FeatureRow> Rows,
    IReadOnlyList<string> Classes,
    int[] Labels,
    int[] Train,
    int[] HeldOut,
    int[] Reported
)
{
    /// <summary>Divides the photos of a set.</summary>
    /// <exception cref="BadInputException">A class has no photo to train on, or there is nothing to report.</exception>
    public static TuningPhotos Of(FeatureSet set, FinetuneOptions options)
    {
        FeatureRow[] rows = [.. set.LoadRows().Where(r => r.View == 0)];
        var classes = set.ClassIndices();
        var labels = Array.ConvertAll(rows, r => classes[r.Label]);
        int[] train = [.. Of(Datasets.Splits.Train)];
        int[] reported = [.. Of(Datasets.Splits.Validation)];
        int[] held = HoldsOut(options) ? Hold(train, labels, options) : [];
        var photos = new TuningPhotos(rows, set.Manifest.Classes, labels, [.. train.Except(held)], held, reported);
        // After photos are held out: a class of few photos may have lost all of them.
        var counts = photos.Train.CountBy(p => labels[p]).ToDictionary();
        if (Enumerable.Range(0, classes.Count).Where(k => !counts.ContainsKey(k)).Select(k => (int?)k).FirstOrDefault() is { } missing)
            throw new BadInputException(
                $"class '{set.Manifest.Classes[missing]}' has no photo {(held.Length > 0 ? "left to train on" : "in split train")}: a head "
                    + "cannot learn it"
            );
        // Again, since some photos may not have been decoded.
        RequireEnough(train.CountBy(p => labels[p]).Select(c => c.Value), options);
        if (classes.Count < 2)
            throw new BadInputException($"all photos are of one class, '{set.Manifest.Classes.FirstOrDefault()}'; expected two or more");
        return photos;

        IEnumerable<int> Of(string split) => Enumerable.Range(0, rows.Length).Where(i => rows[i].Split == split);
    }

    /// <summary>Refuses numbers of photos of which the options choose nothing.</summary>
    /// <param name="counts">Training photos of each class.</param>
    /// <exception cref="BadInputException">Too few to hold out a share of them, or to choose the first head's C.</exception>
    public static void RequireEnough(IEnumerable<int> counts, FinetuneOptions options)
    {
        var largest = counts.Max();
        var held = HoldsOut(options) ? HeldOf(largest, options) : 0;
        if (HoldsOut(options) && held == 0)
            throw new BadInputException(
                FormattableString.Invariant(
                    $"held-out {options.HeldOut} of {largest} training photos, as many as the largest class has, is "
                ) + "none, and keep best chooses the epoch on them: take a larger held-out, or keep average"
            );
        if (options.Start == FinetuneStart.Lp && largest - held < 2)
            throw new BadInputException(
                "no class has two photos to train on, by which the C of the first head is chosen: take more photos, or start random"
            );
    }

    private static bool HoldsOut(FinetuneOptions options) => options is { Keep: FinetuneKeep.Best, Watch: FinetuneWatch.HeldOut };

    private static int HeldOf(int photos, FinetuneOptions options) =>
        (int)Math.Round(options.HeldOut * photos, MidpointRounding.AwayFromZero);

    /// <summary>The same share of every class, the photos chosen by the seed.</summary>
    private static int[] Hold(int[] train, int[] labels, FinetuneOptions options)
    {
        var held = new List<int>();
        foreach (var group in train.GroupBy(p => labels[p]).OrderBy(g => g.Key))
        {
            var members = group.ToArray();
            // A stream per class: photos that are added to one class do not change what is held out of the others.
            RandomStream.OfDraws(options.Seed, (ulong)group.Key).Shuffle(members);
            held.AddRange(members.Take(HeldOf(members.Length, options)));
        }

        return [.. held.Order()];
    }
}
