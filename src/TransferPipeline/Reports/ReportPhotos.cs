namespace TransferPipeline.Reports;

/// <summary>
/// The photos of a predictions page, taken one at a time. All are counted; of more than fit a page those are kept that are worth a
/// look: the wrong ones, the surest of them first, then the least sure.
/// </summary>
/// <param name="most">Photos that are kept.</param>
internal sealed class ReportPhotos(int most = ReportPhotos.MostOfAPage)
{
    /// <summary>With thumbnails of some 5 kB each this keeps a page below 15 MB.</summary>
    public const int MostOfAPage = 2000;

    private readonly PriorityQueue<(int Index, PredictedPhoto Photo), (double Worth, int Before)> _kept = new();

    /// <summary>Photos that were added.</summary>
    public int Total { get; private set; }

    /// <summary>Photos whose true class is known.</summary>
    public int Known { get; private set; }

    public int Right { get; private set; }

    /// <summary>What is kept, in the order in which it came.</summary>
    public IReadOnlyList<PredictedPhoto> Kept =>
        [.. _kept.UnorderedItems.Select(i => i.Element).OrderBy(k => k.Index).Select(k => k.Photo)];

    public static ReportPhotos Of(IEnumerable<PredictedPhoto> photos, int most = MostOfAPage)
    {
        var page = new ReportPhotos(most);
        foreach (var photo in photos)
            page.Add(photo);
        return page;
    }

    public void Add(PredictedPhoto photo)
    {
        var sure = photo.Top.Count > 0 ? photo.Top[0].Probability : 0;
        var entry = (Total++, photo);
        (Known, Right) = (Known + (photo.IsRight is null ? 0 : 1), Right + (photo.IsRight == true ? 1 : 0));
        // The queue gives up what is worth least; of equals the later one.
        var worth = (photo.IsRight == false ? 1 + sure : 1 - sure, -Total);
        if (_kept.Count < most)
            _kept.Enqueue(entry, worth);
        else if (most > 0)
            _kept.EnqueueDequeue(entry, worth);
    }
}
