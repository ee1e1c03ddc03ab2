using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;
using TransferPipeline.Reports;

namespace TransferPipeline.Pipelines;

/// <summary>Writes the results of a run into its folder.</summary>
internal sealed class PipelineOutput(Toolbox tools, Pipeline pipeline, string folder)
{
    /// <summary>Name of the comparison in the folder.</summary>
    internal const string ComparisonFile = "comparison.json";

    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal);

    /// <summary>What was written, by purpose: classifier, report, comparison, features.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>States a file that another part wrote.</summary>
    public void Add(string purpose, string file) => _files[purpose] = file;

    public void WriteFeatures(FeaturesExportSection export, IReadOnlyList<FeatureSet> sets)
    {
        foreach (var set in sets)
        {
            // Several sets under one name would overwrite each other's files.
            var prefix = Path.Combine(folder, sets.Count == 1 ? export.Prefix : $"{export.Prefix}-{Path.GetFileName(set.Folder)}");
            foreach (var file in set.Export(export.Format, prefix))
                _files[$"features {Path.GetFileName(file)}"] = file;
        }
    }

    public void WriteComparison(Comparison comparison)
    {
        var file = Path.Combine(folder, ComparisonFile);
        DurableFile.WriteText(file, ComparisonJson.Serialize(comparison) + "\n");
        _files["comparison"] = file;
    }

    public void WriteReport(string name, Comparison comparison, Dataset dataset)
    {
        var file = Path.Combine(folder, name);
        ComparisonReport.Write(file, comparison, new PhotoThumbnails(dataset, tools.Decoder, tools.Encoder).Of);
        _files["report"] = file;
    }

    /// <summary>The exported classifier on photos that it was not trained on, read and run as `transfer predict` does.</summary>
    public void WritePredictions(string name, string classifier, Dataset dataset, int threads, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, name);
        // Batches run side by side, so one run of the network takes one thread.
        using var model = Classifier.Open(classifier, threads: 1);
        var photos = Enumerable
            .Range(0, dataset.Entries.Count)
            .Where(i => dataset.Entries[i].Split == pipeline.PredictedSplit)
            .Select(i => new PhotoOfDataset(dataset, i))
            .ToList();
        var shown = new ReportPhotos();
        foreach (var (prediction, photo) in new PhotoClassifier(tools.Decoder, model).Predict(photos, threads, cancellation).Zip(photos))
            // Photos that cannot be read were reported by the extraction.
            if (prediction.Failure is null)
                shown.Add(prediction.ToPage(model.Info.Labels, dataset.Entries[photo.Index].Label));
        PredictionsPage.Write(
            file,
            Path.GetFileName(classifier),
            shown,
            new PhotoThumbnails(dataset, tools.Decoder, tools.Encoder, PredictionsPage.ThumbnailSide).Of
        );
        _files["predictions"] = file;
    }
}
