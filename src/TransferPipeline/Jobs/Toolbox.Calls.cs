using TransferPipeline.Backbones;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <content>The whole way from photos to a classifier, one call per step.</content>
public sealed partial record Toolbox
{
    /// <summary>These tools with a decoder of one's own, which decodes all photos from now on.</summary>
    public Toolbox WithDecoder(IImageDecoder decoder)
    {
        // A name such as 'pillow 1' has a number for its pixels behind it; adapters are found by the first word.
        var adapter = new Adapter<IImageDecoder>(decoder.Name.Split(' ')[0], () => decoder, () => decoder.Libraries);
        return this with { Decoders = Decoders.With(adapter), DecoderName = adapter.Name };
    }

    /// <summary>These tools with a Parquet library of one's own, which reads and writes all Parquet files from now on.</summary>
    public Toolbox WithParquetLibrary(IParquetLibrary library)
    {
        var adapter = new Adapter<IParquetLibrary>(library.Name.Split(' ')[0], () => library, () => library.Name);
        return this with { ParquetLibraries = ParquetLibraries.With(adapter), ParquetName = adapter.Name };
    }

    /// <summary>Opens photos with labels, whatever their form: class folders, CSV, tar, Parquet, CIFAR.</summary>
    /// <exception cref="BadInputException">There is nothing at the path, no photo in it, or it is damaged.</exception>
    public Dataset OpenDataset(string path) => OpenDataset(new DatasetOptions { Path = path });

    /// <inheritdoc cref="OpenDataset(string)"/>
    public Dataset OpenDataset(DatasetOptions options) => DatasetReader.Open(options, PhotoTable);

    /// <summary>Brings the feature set in a folder up to date with the photos; only vectors that are not there are computed.</summary>
    /// <param name="model">A name of the model store, or an ONNX file.</param>
    /// <param name="folder">Folder of the feature set.</param>
    /// <param name="cut">Where the backbone is stopped, and the pooling; by default the feature that its classifier takes.</param>
    /// <param name="device">Where the backbone runs; by default the processor.</param>
    /// <param name="preprocessing">Changes to the model's own preprocessing.</param>
    /// <param name="options">Threads, limits and what to do with another recipe.</param>
    /// <param name="progress">Called as photos are done.</param>
    /// <exception cref="TransferException">The model, the photos or the folder cannot be used; what was computed is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was computed is kept.</exception>
    public async Task<FeatureSet> ExtractAsync(
        Dataset photos,
        string model,
        string folder,
        CutRequest? cut = null,
        DeviceOptions? device = null,
        PreprocessingOverride? preprocessing = null,
        ExtractionOptions? options = null,
        IProgress<ExtractionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var result = await Task.Run(
            () =>
            {
                var spec = Specify(photos, Models.Resolve(model), [new(cut ?? CutRequest.Default, folder)], preprocessing) with
                {
                    Device = (device ?? new()).Check(),
                };
                var given = options ?? new();
                return Extractor.Run(spec, given with { Progress = progress ?? given.Progress }, cancellation)[0];
            },
            cancellation
        );
        return OpenFeatures(result.Folder);
    }

    /// <summary>
    /// Trains a backbone above a cut and writes it as an ONNX file with a manifest, a model as any other; an interrupted call goes on where
    /// its last epoch ended when it is made again.
    /// </summary>
    /// <param name="model">A name of the model store, or an ONNX file.</param>
    /// <param name="file">The tuned backbone that is written.</param>
    /// <param name="classifier">Also the tuned backbone with its head, for predictions; null for none.</param>
    /// <param name="cut"><c>last-stage</c>, <c>last-block</c>, <c>all</c>, or a tensor that separates the network.</param>
    /// <param name="epochs">Times that each training photo is seen.</param>
    /// <param name="views">Augmented copies of each training photo that are cached; 0 makes fresh ones in each epoch.</param>
    /// <param name="seed">Of the order of photos and of their copies.</param>
    /// <param name="progress">Receives the share of the training that is done, from 0 to 1.</param>
    /// <returns>
    /// Accuracy on split validation with the head that was trained with the backbone, and that of the softmax head on frozen features
    /// with which training started; null where it started from a random head.
    /// </returns>
    /// <exception cref="TransferException">The model cannot be trained, memory is short, or training diverged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; whole epochs are kept.</exception>
    public Task<(double Accuracy, double? FrozenAccuracy)> FinetuneAsync(
        Dataset photos,
        string model,
        string file,
        string? classifier = null,
        string cut = SeparatingCuts.LastStage,
        int epochs = 8,
        int views = 3,
        int seed = 0,
        IProgress<double>? progress = null,
        CancellationToken cancellation = default
    ) =>
        Task.Run<(double, double?)>(
            () =>
            {
                var request = new FinetuneRequest
                {
                    Dataset = photos,
                    Model = Models.Resolve(model),
                    File = file,
                    Classifier = classifier,
                    Options = new()
                    {
                        Cut = cut,
                        Epochs = epochs,
                        Views = views,
                        Seed = seed,
                    },
                    Progress = done => progress?.Report((double)done.Done / done.Total),
                };
                var result = Finetuning.Run(this, request, cancellation);
                return (result.Tuned.Accuracy, result.Frozen?.Accuracy);
            },
            cancellation
        );

    /// <summary>Opens a feature set that was extracted before, here or on another machine.</summary>
    /// <exception cref="BadInputException">The folder is not a feature set, or is damaged.</exception>
    public FeatureSet OpenFeatures(string folder) => FeatureSet.Open(folder, Table);

    /// <summary>Trains heads on a feature set, side by side on the same photos, and evaluates them.</summary>
    /// <param name="heads">For example <c>[new Softmax(), new LinearSvm { C = 0.1 }]</c>.</param>
    /// <param name="options">Split or folds, seed, threads, data checks.</param>
    /// <param name="progress">Called with one line as each piece of work begins.</param>
    /// <exception cref="TransferException">No head can be trained, or the options contradict each other.</exception>
    public async Task<ComparedHeads> CompareAsync(
        FeatureSet features,
        IReadOnlyList<HeadSpec> heads,
        ComparisonOptions? options = null,
        IProgress<string>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var given = (options ?? new()) with { Cancellation = cancellation };
        if (progress is not null)
            given = given with { Progress = progress.Report };
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
    // Batches run side by side on threads of their own, so one run of the network takes one thread.
    public OpenedClassifier OpenClassifier(string file) => new(this, Classifier.Open(file, threads: 1));
}
