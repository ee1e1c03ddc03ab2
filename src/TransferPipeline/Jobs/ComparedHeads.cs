using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Reports;

namespace TransferPipeline.Jobs;

/// <summary>Heads that were trained and evaluated on one feature set.</summary>
public sealed class ComparedHeads
{
    private readonly Toolbox _tools;
    private readonly FeatureSet _set;
    private readonly FeatureData _data;
    private readonly ComparisonRun _run;

    internal ComparedHeads(Toolbox tools, FeatureSet set, FeatureData data, ComparisonRun run) =>
        (_tools, _set, _data, _run) = (tools, set, data, run);

    /// <summary>Accuracies with intervals, tests, options, and all else that the report shows.</summary>
    public Comparison Result => _run.Result;

    /// <summary>The trained heads, in the order of <see cref="Comparison.Heads"/>.</summary>
    public IReadOnlyList<IHead> Heads => _run.Fitted;

    /// <summary>The head with the highest accuracy; the first of them when several have it.</summary>
    public IHead Best => _run.Fitted[Verdict.MostAccurate([.. Result.Heads.Select(h => h.Accuracy.Value)])];

    /// <summary>Writes the result as JSON.</summary>
    /// <exception cref="JobFailedException">The file cannot be written.</exception>
    public void Save(string file) => DurableFile.WriteText(file, ComparisonJson.Serialize(Result));

    /// <summary>Writes the result as one HTML page, with thumbnails where the photos are at hand.</summary>
    /// <exception cref="JobFailedException">The file cannot be written.</exception>
    public void SaveReport(string file, Dataset? photos = null) =>
        ComparisonReport.Write(file, Result, new PhotoThumbnails(photos, _tools.Decoder, _tools.Encoder).Of);

    /// <summary>Writes backbone and head as one ONNX file; photos of the set are replayed through it first.</summary>
    /// <param name="head">By default the best one.</param>
    /// <param name="photos">The photos of the set; null replays none.</param>
    /// <returns>How the file was checked, in words.</returns>
    /// <exception cref="BadInputException">The backbone is not the one that made the vectors.</exception>
    /// <exception cref="JobFailedException">The file does not give the head's probabilities; nothing is left behind.</exception>
    public Task<string> ExportAsync(string file, IHead? head = null, Dataset? photos = null, CancellationToken cancellation = default) =>
        Task.Run(
            () =>
                new ClassifierBuilder(_tools, _set, _tools.Models.Resolve(_set.Recipe.Model)).Write(
                    file,
                    head ?? Best,
                    _data,
                    photos,
                    cancellation
                ),
            cancellation
        );
}
