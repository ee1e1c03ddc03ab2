using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;
using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <summary>Trains a backbone above a cut, from photos to a tuned ONNX file and its classifier.</summary>
internal sealed partial class Finetuning
{
    private const string CheckpointName = "checkpoint";

    private readonly Toolbox _tools;
    private readonly FinetuneRequest _request;
    private readonly FinetuneOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly Backbone _backbone;
    private readonly CutRequest _feature;
    private readonly ExtractionSpec _spec;
    private readonly DividedBackbone _divided;
    private readonly ITuner _tuner;
    private readonly Action<string> _message;

    private Finetuning(Toolbox tools, FinetuneRequest request, CancellationToken cancellation)
    {
        (_tools, _request, _options, _cancellation) = (tools, request, request.Options.Check(), cancellation);
        _message = request.Extraction.Message;
        _tuner = tools.Tuners.Find().Instance;
        RequireSplits(request.Dataset, _options);
        if (OutputTarget.IsSame(request.File, request.Model.File))
            throw new UsageException($"{request.File} is the backbone that training starts from: choose another name for the tuned one");
        if (
            request.Classifier is { } classifier
            && (((string[])[request.File, request.Model.File]).Any(f => OutputTarget.IsSame(classifier, f)))
        )
            throw new UsageException($"{classifier} is the name of a backbone: choose another name for the classifier");
        ClassWeights.Check("finetune", _options.ClassWeight, request.Dataset.Classes);
        // By its tensor where the model has no classifier:
        // the recipes of frozen and tuned vectors then name the same feature.
        _feature = request.Model.Explicit(CutRequest.Default);
        var spec = tools.Specify(request.Dataset, request.Model, [new(_feature, "")], request.Preprocessing) with
        {
            Decode = request.Decode,
        };
        _backbone = Backbone.Open(request.Model.File, new PhotoSize(spec.Preprocessing.OutputHeight, spec.Preprocessing.OutputWidth));
        _spec = spec with { Views = ViewsOf(spec.Preprocessing) };
        RequireFloat();
        _divided = DividedBackbone.Make(_backbone, _options.Cut, _feature);
        // The check concerns operators and shapes, for which a head of zeros is enough.
        if (_tuner.Problem(GraphWith(Zeros())) is { } problem)
            throw new BadInputException($"{request.Model.File}: it cannot be trained: {problem}");
    }

    private int Classes => _request.Dataset.Classes.Count;

    private int Threads => _request.Extraction.Workers;

    /// <summary>Trains, checks and writes; an interrupted run goes on where its last epoch ended.</summary>
    /// <exception cref="UsageException">Options or the cut are wrong, or the training library is missing.</exception>
    /// <exception cref="BadInputException">The model or the photos cannot be trained on.</exception>
    /// <exception cref="JobFailedException">Memory is short, training diverged, or the written file is not what was trained.</exception>
    public static FinetuneResult Run(Toolbox tools, FinetuneRequest request, CancellationToken cancellation = default) =>
        new Finetuning(tools, request, cancellation).Run();

    /// <summary>Refuses what cannot be trained; nothing is computed.</summary>
    /// <inheritdoc cref="Run(Toolbox, FinetuneRequest, CancellationToken)" path="/exception"/>
    public static void Require(Toolbox tools, FinetuneRequest request) => new Finetuning(tools, request, default).RequireMemory();

    /// <summary>What would be trained and cached; whatever would be refused is refused.</summary>
    public static TuningPlan Plan(Toolbox tools, FinetuneRequest request)
    {
        var job = new Finetuning(tools, request, default);
        using var part = job.Open(job.Zeros(), null);
        var weights = part.Parameters.Where(p => !p.IsStatistic).Sum(p => p.Count);
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{request.Model.Name} above '{job._divided.Cut}', {weights:N0} weights, {job._options.Epochs} epochs, "
                + $"{job._options.Views} cached copies of each photo"
        );
        var vector = job._divided.Dimension * 4L;
        return new(line, job.CacheSpec(), job.CachesActivations ? job._divided.Input.Values * 2L : vector, vector);
    }

    private FinetuneResult Run()
    {
        var clock = Stopwatch.StartNew();
        // Before the extraction, which can take minutes and would leave memory as short as it is.
        RequireMemory();
        Advise();
        Directory.CreateDirectory(_request.CacheFolder);
        // Not waited for: another training can take hours, and two of them would write one checkpoint.
        using var held = FolderLock.Take(_request.CacheFolder, TimeSpan.Zero, _message, _cancellation);
        var set = Extract();
        var photos = TuningPhotos.Of(set, _options);
        if (photos.Reported.Length == 0)
            throw new BadInputException(
                $"{_request.Dataset.Source}: no photo of split validation can be used; tuned files are checked on them"
            );
        var key = Key(set, photos);
        if (EarlierResult(key) is { } earlier)
        {
            _message($"{_request.File}: trained before from the same photos with the same options; nothing is done");
            return earlier;
        }

        using var part = Open(Zeros(), photos);
        using var source = Source(set, photos);
        var run = new TuningRun(part, source, photos, _options, _request.Progress, _cancellation);
        var frozen = Start(run, part, photos);
        var checkpoint = Path.Combine(_request.CacheFolder, CheckpointName);
        run.Run(checkpoint, key, _message);
        var result = Finish(part, photos, run, frozen, clock);
        Store(key, result);
        // After the result is stored: a run that is killed between the two leaves what the next one goes on from.
        File.Delete(checkpoint);
        return result;
    }

    private void Advise()
    {
        var isFolded = _divided.Upper.Graph.Node.All(n => n.OpType != "BatchNormalization");
        if (isFolded && _options is { Start: FinetuneStart.Random, BackboneRate: > 0 })
            _message(
                "training from a random head can diverge on this file, whose BatchNormalization is folded into its "
                    + "convolutions; --start lp, "
                    + "the default, does not"
            );
        if (_divided.Auxiliary is { } early)
            _message(
                $"the file has an auxiliary classifier on '{early.Tensor}'; its loss counts {GraphWith(Zeros()).AuxiliaryLossWeight} times"
            );
        if (_divided.TrainsAll && _options.Views > 0)
            _message("above the cut 'all' nothing can be cached: each epoch makes fresh copies, as with --views 0");
    }

    /// <summary>Sets the head with which training starts, and reports how good it is; null for a random one.</summary>
    private Predictions? Start(TuningRun run, ITunedPart part, TuningPhotos photos)
    {
        var weights = part.Weights();
        if (_options.Start == FinetuneStart.Random)
        {
            var layer = DenseNetwork.Create([_divided.Dimension, Classes], _options.Seed).Layers[0];
            part.SetWeights(weights with { HeadWeights = layer.Weights, HeadBias = layer.Bias });
            return null;
        }

        // Features by the part that will train, rather than by ONNX Runtime:
        // the head then fits exactly what the first step sees.
        var known = photos.Train.Concat(photos.Reported).ToArray();
        var features = run.Evaluate(known, Classes, _divided.Dimension).Features;
        var data = new FeatureData
        {
            X = new FeatureMatrix(known.Length, _divided.Dimension, features),
            Y = Array.ConvertAll(known, p => photos.Labels[p]),
            Classes = photos.Classes,
            Rows = [.. known.Select((p, i) => photos.Rows[p] with { Split = i < photos.Train.Length ? Splits.Train : Splits.Validation })],
        };
        var spec = HeadSpec.Create(
            new SoftmaxTrainer(),
            new Dictionary<string, string> { ["C"] = "logspace(-3,2,11)", ["class_weight"] = _options.ClassWeight }
        );
        var options = new ComparisonOptions
        {
            Seed = _options.Seed,
            Threads = Threads,
            Cancellation = _cancellation,
        };
        var summary = new FeatureSetSummary(
            "",
            _request.Model.Name,
            _feature.Cut,
            _divided.Dimension,
            double.NaN,
            new Dictionary<string, string>()
        );
        // Inner folds of the training photos choose C; photos that are reported choose nothing.
        var trained = HeadTraining.Run(options, new FeatureSource(summary, data), spec, new TrainingSplits([Splits.Train], null));
        var head = (Heads.Linear.LinearHead)trained.Head;
        part.SetWeights(weights with { HeadWeights = head.Weights, HeadBias = head.Bias });
        var rows = Enumerable.Range(photos.Train.Length, photos.Reported.Length).ToArray();
        return Predictions.Of(head, data.X, data.Y, rows, Threads);
    }

    private bool CachesActivations => _options.Views > 0 && !_divided.TrainsAll;

    private ExtractionSpec CacheSpec()
    {
        // Where nothing is cached, a set of features is made for its rows:
        // the photos that can be decoded, and their hashes.
        var cached = CachesActivations;
        var request = cached ? new CutRequest(_divided.Cut, Pooling.None) : _feature;
        var folder = Path.Combine(_request.CacheFolder, cached ? "activations" : "features");
        return _spec with
        {
            Outputs = [new(request, folder)],
            Table = cached ? new ActivationTable(_spec.Table) : _spec.Table,
            Views = cached ? _spec.Views : null,
            OpenModel = () => _backbone.Cut(request),
        };
    }

    private FeatureSet Extract()
    {
        var spec = CacheSpec();
        var result = Extractor.Run(spec, _request.Extraction, _cancellation)[0];
        var set = FeatureSet.Open(result.Folder, spec.Table);
        // Activations are mapped into memory and not hashed again, so damage has to be found here.
        set.RequireIntact();
        return set;
    }

    private IActivationSource Source(FeatureSet set, TuningPhotos photos) =>
        CachesActivations
            ? new CachedActivations(set)
            : new LiveActivations(_spec, _divided, _divided.TrainsAll ? null : _divided.OpenLower(_backbone), photos.Rows, Threads);

    private ViewOptions? ViewsOf(Preprocessing preprocessing)
    {
        // Without crop and flip every copy would be the photo itself.
        if (_options is { CropScale: 1, Flip: 0 })
            return null;
        var steps = new List<Augmentation>();
        if (_options.CropScale < 1)
            steps.Add(
                new RandomResizedCrop
                {
                    Width = preprocessing.OutputWidth,
                    Height = preprocessing.OutputHeight,
                    Scale = new(_options.CropScale, 1),
                    Interpolation = preprocessing.Interpolation,
                }
            );
        if (_options.Flip > 0)
            steps.Add(new RandomHorizontalFlip { Probability = _options.Flip });
        return AugmentedViews.Of(Math.Max(1, _options.Views), steps, preprocessing, (ulong)_options.Seed);
    }

    private static TunedHead Zero(DividedBackbone divided, int classes) =>
        new(divided.Feature, divided.Dimension, new float[divided.Dimension * classes], new float[classes]);

    private TunedHead Zeros() => Zero(_divided, Classes);

    private TunedGraph GraphWith(TunedHead head) =>
        new()
        {
            Model = _divided.Upper,
            Inputs = [_divided.Input],
            Head = head,
            Auxiliary = Auxiliary(),
        };

    /// <summary>The auxiliary classifier's head before the first step, which no file keeps.</summary>
    private TunedHead? Auxiliary()
    {
        if (_divided.Auxiliary is not { } early)
            return null;
        // No head is trained on its frozen feature: from zeros it moves the backbone no faster than it learns itself.
        if (_options.Start == FinetuneStart.Lp)
            return new(early.Name, early.Dimension, new float[early.Dimension * Classes], new float[Classes]);
        // Other draws than those of the main head.
        var layer = DenseNetwork.Create([early.Dimension, Classes], _options.Seed ^ 1).Layers[0];
        return new(early.Name, early.Dimension, layer.Weights, layer.Bias);
    }

    private ITunedPart Open(TunedHead head, TuningPhotos? photos)
    {
        var counts = new int[Classes];
        foreach (var photo in photos?.Train ?? [])
            counts[photos!.Labels[photo]]++;
        return _tuner.Open(GraphWith(head), TunerOptionsFor(counts));
    }

    // Plans and estimates know no photos; balanced weights of their counts would be NaN.
    private TunerOptions TunerOptionsFor(int[] counts) =>
        new()
        {
            Optimizer = _options.Optimizer switch
            {
                FinetuneOptimizer.Adam => TunerOptimizer.Adam,
                FinetuneOptimizer.Adamw => TunerOptimizer.AdamW,
                _ => TunerOptimizer.Sgd,
            },
            Momentum = _options.Momentum,
            WeightDecay = _options.WeightDecay,
            LabelSmoothing = _options.LabelSmoothing,
            ClassWeights = counts.Contains(0)
                ? null
                : ClassWeights.OfOrNull("finetune", new Softmax { ClassWeight = _options.ClassWeight }, counts, _request.Dataset.Classes),
            Threads = Threads,
            Seed = _options.Seed,
            Device = _options.Device == FinetuneDevice.Cuda ? TunerDevice.Cuda : TunerDevice.Cpu,
            Precision = _options.Precision == FinetunePrecision.Bf16 ? TunerPrecision.Bfloat16 : TunerPrecision.Float32,
        };

    /// <summary>All that the result depends on: a checkpoint of another key is not gone on with.</summary>
    private string Key(FeatureSet set, TuningPhotos photos)
    {
        var text = new StringBuilder();
        // Earlier versions had no precision, and what they trained is that of fp32.
        var options = _options.Values().Where(o => o.Key != "precision" || _options.Precision != FinetunePrecision.Fp32);
        foreach (var (name, value) in set.Recipe.Fields().Concat(options))
            text.Append(CultureInfo.InvariantCulture, $"{name}={value}\n");
        text.Append(CultureInfo.InvariantCulture, $"cut={_divided.Cut}\nclasses={string.Join('\n', photos.Classes)}\n");
        text.Append(CultureInfo.InvariantCulture, $"tuner={_tools.Tuners.Find().Version}\n");
        // Only where there are some: earlier versions trained neither, and the results of other backbones stay valid.
        if (_divided.Auxiliary is { } early)
            text.Append(CultureInfo.InvariantCulture, $"auxiliary={early.Tensor}\n");
        var parameters = TrainableWeights.Find(_divided.Upper.Graph, [_divided.Input.Name]);
        foreach (var table in parameters.Where(p => p.IsTable))
            text.Append(CultureInfo.InvariantCulture, $"table={table.Name}\n");
        // Earlier versions summed statistics in another order; a checkpoint of theirs would end with other bytes.
        if (parameters.Any(p => p.IsStatistic))
            text.Append("statistics=by shards\n");
        // By the photos' bytes: a photo that was replaced under its name makes another result.
        foreach (var row in photos.Rows)
            text.Append(CultureInfo.InvariantCulture, $"{row.Path}\n{row.Label}\n{row.Split}\n{row.ImageSha256}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
