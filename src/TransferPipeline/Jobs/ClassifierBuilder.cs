using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;

namespace TransferPipeline.Jobs;

/// <summary>Puts a backbone and a head that was trained on its vectors together into one classifier file.</summary>
internal sealed class ClassifierBuilder(Toolbox tools, FeatureSet set, ResolvedModel model)
{
    /// <summary>Photos that the written file must classify as the head does on their cached vectors.</summary>
    private const int ReplayedPhotos = 16;

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
        if (head.NotExportable is { } reason)
            throw new UsageException($"head '{head.Name}' cannot be written as ONNX: {reason}");
        var cut = Backbone
            .Open(model.File, new PhotoSize(set.Recipe.Preprocessing.OutputHeight, set.Recipe.Preprocessing.OutputWidth))
            .Cut(new CutRequest(set.Recipe.Cut, Pooling.Parse(set.Recipe.Pooling)));
        var photos = dataset is null ? [] : PickPhotos(dataset, data);
        if (photos.Count == 0)
        {
            ClassifierExport.Write(file, cut, head, Describe(cut, head, data));
            return "the set's photos are not on this machine, so none was replayed";
        }

        var difference = ClassifierExport.Write(
            file,
            cut,
            head,
            Describe(cut, head, data),
            Replay(dataset!, photos, cut.Layout, head, data) with
            {
                Cancellation = cancellation,
            }
        );
        return FormattableString.Invariant($"replayed {photos.Count} photos, largest difference of a probability {difference:0.0e+0}");
    }

    private ClassifierInfo Describe(CutModel cut, IHead head, FeatureData data) =>
        new()
        {
            Labels = data.Classes,
            Preprocessing = set.Recipe.Preprocessing,
            Layout = cut.Layout,
            InputHeight = cut.InputHeight,
            InputWidth = cut.InputWidth,
            MaxBatch = cut.MaxBatch ?? ClassifierInfo.NoLimit,
            ExifTranspose = set.Recipe.ExifTranspose,
            Head = head.Name,
            HeadSettings = head.Options.Values,
            Recipe = set.Recipe.Fields().ToDictionary(f => f.Key, f => f.Value),
        };

    /// <summary>Rows spread over the set whose photos the dataset still has.</summary>
    private static List<(int Row, int Entry)> PickPhotos(Dataset dataset, FeatureData data)
    {
        var entries = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < dataset.Entries.Count; i++)
            entries[dataset.Entries[i].Path] = i;
        // Photos as they are: a copy's vector could only be repeated by rendering the copy again.
        var there = Enumerable
            .Range(0, data.Rows.Count)
            .Where(r => data.Rows[r].View == 0 && entries.ContainsKey(data.Rows[r].Path))
            .ToArray();
        // Spread over the rows: the first ones of class folders would all be of one class.
        var count = Math.Min(ReplayedPhotos, there.Length);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => there[(int)((long)i * there.Length / count)])
                .Select(r => (r, entries[data.Rows[r].Path])),
        ];
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
