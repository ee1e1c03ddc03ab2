using TransferPipeline.Backbones;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <content>The whole way from photos to a classifier, one call per step.</content>
public sealed partial record Toolbox
{
    /// <summary>Opens photos with labels, whatever their form: class folders, CSV, tar, Parquet, CIFAR.</summary>
    /// <exception cref="BadInputException">There is nothing at the path, no photo in it, or it is damaged.</exception>
    public Dataset OpenDataset(string path) => OpenDataset(new DatasetOptions { Path = path });

    /// <inheritdoc cref="OpenDataset(string)"/>
    public Dataset OpenDataset(DatasetOptions options) => DatasetReader.Open(options, PhotoTable);

    /// <summary>Brings the feature set in a folder up to date with the photos; only vectors that are not there are computed.</summary>
    /// <param name="model">A name of the model store, or an ONNX file.</param>
    /// <param name="folder">Folder of the feature set.</param>
    /// <param name="cut">Where the backbone is stopped, and the pooling; by default the feature that its classifier takes.</param>
    /// <param name="options">Threads, limits and what to do with another recipe.</param>
    /// <param name="progress">Told as photos are done.</param>
    /// <exception cref="TransferException">The model, the photos or the folder cannot be used; what was computed is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was computed is kept.</exception>
    public async Task<FeatureSet> ExtractAsync(
        Dataset photos,
        string model,
        string folder,
        CutRequest? cut = null,
        ExtractionOptions? options = null,
        IProgress<ExtractionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var result = await Task.Run(
            () =>
            {
                var spec = Specify(photos, Models.Resolve(model), [new(cut ?? CutRequest.Default, folder)]);
                var given = options ?? new();
                return Extractor.Run(spec, given with { Progress = progress ?? given.Progress }, cancellation)[0];
            },
            cancellation
        );
        return OpenFeatures(result.Folder);
    }

    /// <summary>Opens a feature set that was extracted before, here or on another machine.</summary>
    /// <exception cref="BadInputException">The folder is not a feature set, or is damaged.</exception>
    public FeatureSet OpenFeatures(string folder) => FeatureSet.Open(folder, Table);

    /// <summary>Trains heads on a feature set, side by side on the same photos, and evaluates them.</summary>
    /// <param name="heads">For example <c>[new Softmax(), new LinearSvm { C = 0.1 }]</c>.</param>
    /// <param name="options">Split or folds, seed, threads, data checks.</param>
    /// <exception cref="TransferException">No head can be trained, or the options contradict each other.</exception>
    public async Task<ComparedHeads> CompareAsync(
        FeatureSet features,
        IReadOnlyList<HeadSpec> heads,
        ComparisonOptions? options = null,
        CancellationToken cancellation = default
    )
    {
        var given = (options ?? new()) with { Cancellation = cancellation };
        return await Task.Run(
            () =>
            {
                var data = features.Load();
                return new ComparedHeads(
                    this,
                    features,
                    data,
                    Comparer.Run(given, [new FeatureSource(Summaries.Of(features), data)], heads)
                );
            },
            cancellation
        );
    }

    /// <summary>Opens a classifier file for predictions.</summary>
    /// <exception cref="BadInputException">It is not a classifier of this program.</exception>
    public OpenedClassifier OpenClassifier(string file) => new(this, Classifier.Open(file, threads: 1));
}
