using System.Collections.Concurrent;
using TransferPipeline.Datasets;
using TransferPipeline.Images;
using TransferPipeline.Reports;

namespace TransferPipeline.Classifiers;

/// <summary>A photo to classify: its name for people and its encoded bytes.</summary>
internal interface IPhoto
{
    string Name { get; }

    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="ImageDecodeException">It is no photo.</exception>
    ReadOnlySpan<byte> Read(ref byte[] buffer);
}

/// <summary>A file on disk.</summary>
internal sealed record PhotoFile(string Name) : IPhoto
{
    public ReadOnlySpan<byte> Read(ref byte[] buffer)
    {
        if (Directory.Exists(Name))
            throw new ImageDecodeException("a folder, expected a photo");
        // What cannot be written in UTF-8 comes as U+FFFD, and nothing is found under that name.
        if (Name.Contains('\uFFFD', StringComparison.Ordinal) && !File.Exists(Name))
            throw new ImageDecodeException("its name is not UTF-8; rename it");
        // A list of names may be older than the folder.
        if (!Path.Exists(Name))
            throw new ImageDecodeException("no such file");
        // A pipe has length 0, and reading it could wait for ever.
        if (FileBytes.Length(Name) == 0)
            throw new ImageDecodeException("empty, or a pipe or device");
        using var handle = File.OpenHandle(Name);
        var length = FileBytes.Read(handle, 0, RandomAccess.GetLength(handle), Name, ref buffer);
        return buffer.AsSpan(0, length);
    }
}

/// <summary>A photo of a dataset, which may lie in an archive.</summary>
internal sealed record PhotoOfDataset(Dataset Dataset, int Index) : IPhoto
{
    public string Name => Dataset.Entries[Index].Path;

    public ReadOnlySpan<byte> Read(ref byte[] buffer)
    {
        var length = Dataset.Read(Index, ref buffer);
        return buffer.AsSpan(0, length);
    }
}

/// <summary>The prediction for one photo.</summary>
public sealed record PhotoPrediction
{
    internal PhotoPrediction(IPhoto photo, string? label, double probability, float[] probabilities, string? failure) =>
        (Photo, Label, Probability, Probabilities, Failure) = (photo, label, probability, probabilities, failure);

    /// <summary>The photo's file, or its path in the dataset.</summary>
    public string Path => Photo.Name;

    internal IPhoto Photo { get; }

    /// <summary>The most probable class; null when the photo could not be used.</summary>
    public string? Label { get; }

    /// <summary>Probability of <see cref="Label"/>.</summary>
    public double Probability { get; }

    /// <summary>One per class; empty when the photo could not be used.</summary>
    public IReadOnlyList<float> Probabilities { get; }

    /// <summary>The reason why the photo could not be used, or null.</summary>
    public string? Failure { get; }

    /// <summary>The most probable classes, best first.</summary>
    public IEnumerable<(string Label, double Probability)> Top(IReadOnlyList<string> labels, int count) =>
        Probabilities.Select((p, i) => (Label: labels[i], Probability: (double)p)).OrderByDescending(t => t.Probability).Take(count);

    /// <summary>As the predictions page shows it.</summary>
    internal PredictedPhoto ToPage(IReadOnlyList<string> labels, string? trueLabel) =>
        new(Photo.Name, trueLabel, [.. Top(labels, 5).Select(t => new ClassProbability(t.Label, t.Probability))]);
}

/// <summary>Classifies photos: decode, preprocess and run, in batches on several threads.</summary>
/// <param name="classifier">Opened for one thread: the batches run side by side.</param>
internal sealed class PhotoClassifier(IImageDecoder decoder, Classifier classifier)
{
    private const int Batch = 8;

    /// <summary>Batches a thread that may be begun or done before their turn; what is in memory does not grow with the photos.</summary>
    private const int Ahead = 4;

    /// <summary>One prediction per photo, in the same order, as soon as it is there; a photo that cannot be used has its reason.</summary>
    /// <param name="threads">Batches at a time, at least 1; which photos share a batch does not depend on it.</param>
    public IEnumerable<PhotoPrediction> Predict(IReadOnlyList<IPhoto> photos, int threads = 1, CancellationToken cancellation = default)
    {
        threads = Math.Max(1, threads);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // The scheduler limits how many batches run at once, on threads of the pool.
        var tasks = new TaskFactory(
            stop.Token,
            TaskCreationOptions.None,
            TaskContinuationOptions.None,
            new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler
        );
        // A classifier's buffers are reused: there are never more of them than batches that run at once.
        var (free, begun) = (new ConcurrentBag<BatchClassifier>(), new Queue<Task<PhotoPrediction[]>>());
        try
        {
            for (var start = 0; start < photos.Count || begun.Count > 0; )
            {
                for (; start < photos.Count && begun.Count < threads * Ahead; start += Batch)
                {
                    var first = start;
                    begun.Enqueue(tasks.StartNew(() => PredictBatch(first)));
                }

                foreach (var prediction in begun.Dequeue().GetAwaiter().GetResult())
                    yield return prediction;
            }
        }
        finally
        {
            // Whoever stops asking may close the classifier, which no batch survives.
            stop.Cancel();
            Task all = Task.WhenAll(begun);
            all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }

        PhotoPrediction[] PredictBatch(int first)
        {
            if (!free.TryTake(out var worker))
                worker = new(decoder, classifier, Batch);
            var predictions = worker.Predict(photos, first, Math.Min(Batch, photos.Count - first), stop.Token);
            free.Add(worker);
            return predictions;
        }
    }
}
