using Example;
using TransferPipeline.Backbones;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Default;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Jobs;

// example PHOTOS OUT PHOTO: photos to vectors, heads side by side, one classifier, and a prediction with it.
var (photos, folder, photo) = (args[0], args[1], args[2]);
var tools = DefaultTools.Create();

// Stage 1: the backbone runs once over the photos; a second run finds all vectors in the folder.
using var dataset = DatasetReader.Open(new DatasetOptions { Path = photos }, tools.PhotoTable);
var backbone = tools.Models.Resolve("efficientnet-lite0");
var vectors = Path.Combine(folder, "vectors");
var spec = tools.Specify(dataset, backbone, [new(CutRequest.Default, vectors)]);
var extracted = Extractor.Run(spec, new ExtractionOptions())[0];
Console.WriteLine($"{extracted.Computed} vectors of {extracted.Dimension} values computed, {extracted.Reused} found");

// Stage 2: heads train on split train and are scored on split validation; one of them is our own.
var set = FeatureSet.Open(vectors, tools.Table);
var data = set.Load();
HeadSpec[] heads = [new Softmax(), new LinearSvm(), new PooledGaussian()];
var comparison = Comparer.Run(new ComparisonOptions(), [new FeatureSource(Summaries.Of(set), data)], heads);
foreach (var head in comparison.Result.Heads)
    Console.WriteLine(FormattableString.Invariant($"{head.Title,-20} {head.Accuracy.Value:0.000} ({head.Accuracy.Low:0.000} - {head.Accuracy.High:0.000})"));
Console.WriteLine(comparison.Result.Verdict);

// One ONNX file of backbone and head, replayed against the cached vectors before it is accepted.
var file = Path.Combine(folder, "classifier.onnx");
var own = comparison.Fitted.Single(head => head.Name == "pooled-gaussian");
Console.WriteLine(new ClassifierBuilder(tools, set, backbone).Write(file, own, data, dataset, CancellationToken.None));

using var classifier = Classifier.Open(file);
var prediction = new PhotoClassifier(tools.Decoder, classifier).Predict([new PhotoFile(photo)]).Single();
Console.WriteLine(prediction.Failure ?? FormattableString.Invariant($"{prediction.Label} {prediction.Probability:0.000}"));
