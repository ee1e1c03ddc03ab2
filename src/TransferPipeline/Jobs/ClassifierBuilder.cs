using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;

namespace TransferPipeline.Jobs;

/// <summary>Puts a backbone and a head that was trained on its vectors together into one classifier file.</summary>
internal sealed class ClassifierBuilder(Toolbox tools, FeatureSet set, ResolvedModel model)
{
    /// <summary>Refuses a head that no classifier file can hold, before it is trained.</summary>
    /// <exception cref="UsageException">With the trainer's reason.</exception>
    public static void RequireExportable(IHeadTrainer trainer) => RequireExportable(trainer.Name, trainer.NotExportable);

    private static void RequireExportable(string head, string? reason)
    {
        if (reason is not null)
            throw new UsageException($"head '{head}' cannot be written as ONNX: {reason}");
    }

    /// <summary>Writes the classifier; it appears when replayed photos have the head's probabilities.</summary>
    /// <param name="dataset">The photos of the set, or null when they are not on this machine: then none is replayed, which the words
    /// state.</param>
    /// <returns>How it was checked, in words.</returns>
    /// <exception cref="BadInputException">The backbone is not the one that made the vectors.</exception>
    /// <exception cref="JobFailedException">The file does not give the head's probabilities; nothing is left behind.</exception>
    public string Write(string file, IHead head, FeatureData data, Dataset? dataset, CancellationToken cancellation)
    {
        if (model.Sha256 != set.Recipe.ModelSha256)
            throw new BadInputException(
                $"{model.File}: SHA-256 is {model.Sha256[..12]}..., expected {set.Recipe.ModelSha256[..12]}...: {set.Folder} was "
                    + $"extracted with another file of {set.Recipe.Model}"
            );
        RequireExportable(head.Name, head.NotExportable);
        var cut = Backbone
            .Open(model.File, new PhotoSize(set.Recipe.Preprocessing.OutputHeight, set.Recipe.Preprocessing.OutputWidth))
            .Cut(new CutRequest(set.Recipe.Cut, Pooling.Parse(set.Recipe.Pooling)));
        var info = ClassifierInfo.Of(cut, head, data.Classes, set.Recipe);
        var (photos, changed) = dataset is null ? ([], 0) : PickPhotos(dataset, data, cancellation);
        if (photos.Count == 0)
        {
            ClassifierExport.Write(file, cut, head, info);
            return changed == 0
                ? "the set's photos are not on this machine, so none was replayed"
                : "the set's photos have changed since the extraction, so none was replayed";
        }

        var difference = ClassifierExport.Write(
            file,
            cut,
            head,
            info,
            Replay(dataset!, photos, cut.Layout, head, data) with
            {
                Cancellation = cancellation,
            }
        );
        return FormattableString.Invariant($"replayed {photos.Count} photos, largest difference of a probability {difference:0.0e+0}")
            + (changed == 0 ? "" : FormattableString.Invariant($"; left out: {changed} that changed since the extraction"));
    }

    /// <summary>Rows spread over the set whose photos are as they were, and how many of those that were tried are not.</summary>
    private static (List<(int Row, int Entry)> Photos, int Changed) PickPhotos(
        Dataset dataset,
        FeatureData data,
        CancellationToken cancellation
    )
    {
        var entries = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < dataset.Entries.Count; i++)
            entries[dataset.Entries[i].Path] = i;
        // Photos as they are: a copy's vector could only be repeated by rendering the copy again.
        var there = Enumerable
            .Range(0, data.Rows.Count)
            .Where(r => data.Rows[r].View == 0 && entries.ContainsKey(data.Rows[r].Path))
            .ToArray();
        var tried = Array.ConvertAll(
            Spread.Over(there.Length, Classifiers.Replay.Photos),
            i => (Row: there[i], Entry: entries[data.Rows[there[i]].Path])
        );
        // Of other bytes the vectors are others too, which is no fault of the file.
        var hashes = new PhotoHashes(dataset);
        hashes.Compute([.. tried.Select(p => p.Entry)], cancellation);
        var photos = tried.Where(p => hashes[p.Entry] == data.Rows[p.Row].ImageSha256).ToList();
        return (photos, tried.Length - photos.Count);
    }

    private Replay Replay(Dataset dataset, List<(int Row, int Entry)> photos, TensorLayout layout, IHead head, FeatureData data)
    {
        var probabilities = new float[photos.Count * head.ClassCount];
        head.Score(data.X, [.. photos.Select(p => p.Row)], probabilities);
        head.ToProbabilities(probabilities);
        var preprocessor = new Preprocessor(set.Recipe.Preprocessing);
        // The replay asks for one photo after the other, so one buffer serves them all.
        var (buffer, photo) = (Array.Empty<byte>(), new RgbImage());
        var options = new DecodeOptions { ExifTranspose = set.Recipe.ExifTranspose };
        var decoder =
            tools.DecoderOf(set.Recipe.Decoder)
            ?? throw new BadInputException(
                $"{set.Folder}: its photos were decoded by {set.Recipe.Decoder}, which this program has not; extract again"
            );
        return new(
            photos.Count,
            (i, pixels) =>
            {
                var length = dataset.Read(photos[i].Entry, ref buffer);
                decoder.Decode(buffer.AsSpan(0, length), options, photo, preprocessor);
                preprocessor.Run(photo, pixels, layout);
            },
            probabilities
        );
    }
}
