using Example;
using TransferPipeline;
using TransferPipeline.Heads;

// example PHOTOS OUT PHOTO: photos to vectors, heads side by side, one classifier, and a prediction with it.
var (photos, folder, photo) = (args[0], args[1], args[2]);
var tools = DefaultTools.Create();

// Stage 1: the backbone runs once over the photos; a second run finds all vectors in the folder.
using var dataset = tools.OpenDataset(photos);
var features = await tools.ExtractAsync(dataset, "efficientnet-lite0", Path.Combine(folder, "vectors"));
Console.WriteLine($"{features.Rows} vectors of {features.Dimension} values");

// Stage 2: heads train on split train and are scored on split validation; one of them is our own.
var heads = await tools.CompareAsync(features, [new Softmax(), new LinearSvm { C = 0.01 }, new PooledGaussian()]);
foreach (var head in heads.Result.Heads)
    Console.WriteLine(
        FormattableString.Invariant(
            $"{head.Title, -20} {head.Accuracy.Value:0.000} ({head.Accuracy.Low:0.000} - {head.Accuracy.High:0.000})"
        )
    );
Console.WriteLine(heads.Result.Verdict);

// One ONNX file of backbone and head, replayed against the cached vectors before it is accepted.
var file = Path.Combine(folder, "classifier.onnx");
Console.WriteLine(await heads.ExportAsync(file, heads.Heads[^1], dataset));

using var classifier = tools.OpenClassifier(file);
var prediction = classifier.Predict(photo);
Console.WriteLine(prediction.Failure ?? FormattableString.Invariant($"{prediction.Label} {prediction.Probability:0.000}"));
