using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Classifiers;

/// <summary>Photos whose probabilities are known from cached vectors; the classifier must agree on them before it is kept.</summary>
/// <param name="Count">Number of photos.</param>
/// <param name="FillPixels">Writes photo i's preprocessed pixels (3 x height x width values in the input's layout).</param>
/// <param name="Probabilities">Count x classes, row-major, from the head on cached vectors.</param>
internal sealed record Replay(int Count, PixelSource FillPixels, float[] Probabilities)
{
    /// <summary>Photos on which a written file is tried.</summary>
    public const int Photos = 16;

    /// <summary>Largest allowed difference of a probability.</summary>
    public double Tolerance { get; init; } = 1e-4;

    public CancellationToken Cancellation { get; init; }
}

/// <summary>Writes the preprocessed pixels of one photo.</summary>
internal delegate void PixelSource(int photo, Span<float> pixels);

/// <summary>Writes backbone, pooling, head and probabilities as one standard ONNX file, and checks it before it appears.</summary>
internal static class ClassifierExport
{
    public const string ProbabilitiesOutput = "probabilities";
    public const string LabelIndexOutput = "label_index";

    /// <summary>Photos in one run of a replay.</summary>
    private const int ReplayBatch = 8;

    /// <summary>
    /// Input: the backbone's. Outputs: <c>probabilities</c> (N x K float32) and <c>label_index</c> (N, int64). The file appears under its
    /// name only when <paramref name="replay"/> agrees.
    /// </summary>
    /// <param name="output">Index of the cut in <paramref name="cut"/> on which the head was trained.</param>
    /// <returns>The largest difference of a probability in the replay; NaN without one.</returns>
    /// <exception cref="UsageException">The head cannot be exported, or does not fit the cut or the labels.</exception>
    /// <exception cref="JobFailedException">Probabilities differ from the cached ones, or the file cannot be written; nothing is left
    /// behind.</exception>
    public static double Write(string file, CutModel cut, IHead head, ClassifierInfo info, Replay? replay = null, int output = 0)
    {
        Check(cut.Outputs[output], head, info);
        file = Path.GetFullPath(file);
        var temporary = OutputTarget.OwnTemporary(file);
        try
        {
            OutputTarget.RemoveAbandoned(file);
            // The file is written before it is verified: what is tested are the bytes that get the name.
            WriteSynced(temporary, Compose(cut, head, info, output));
            var difference = replay is null ? double.NaN : Verify(file, temporary, cut, head, replay);
            OutputTarget.Place(temporary, file);
            return difference;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{file}: cannot be written: {e.OneLine()}", e);
        }
        finally
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    private static ModelProto Compose(CutModel cut, IHead head, ClassifierInfo info, int output)
    {
        // Other cuts of the same pass are not part of the classifier.
        var feature = cut.Outputs[output].Name;
        var index = new GraphIndex(cut.Model.Graph, cut.InputName);
        var model = GraphPruner.Cut(cut.Model, index, [feature]);
        var graph = new GraphWriter(model);
        // The backbone may have tensors of these names itself.
        graph.Rename(ProbabilitiesOutput);
        graph.Rename(LabelIndexOutput);
        var probabilities = head.Export(graph, feature);
        // A backbone that takes one photo at a time keeps its batch of 1; otherwise the batch stays open.
        var batch = cut.MaxBatch == 1 ? 1 : -1;
        graph.Output(probabilities, ProbabilitiesOutput, DataType.Float, batch, head.ClassCount);
        graph.Output(graph.Node("ArgMax", [ProbabilitiesOutput], ("axis", 1L), ("keepdims", 0L)), LabelIndexOutput, DataType.Int64, batch);
        info.WriteTo(model);
        (model.ProducerName, model.ProducerVersion) = (AssemblyVersion.Name, AssemblyVersion.Own);
        return model;
    }

    private static void Check(CutOutput cut, IHead head, ClassifierInfo info)
    {
        if (head.NotExportable is { } reason)
            Throw.Usage($"{head.Name} cannot be exported: {reason}");
        if (head.Dimension != cut.Dimension)
            Throw.Usage(
                $"{head.Name} was trained on vectors of {head.Dimension} values, but the cut {cut.Request.Cut} with pooling "
                    + $"{cut.Request.Pooling} gives {cut.Dimension}; export with the model and cut of its feature set"
            );
        if (head.ClassCount != info.Labels.Count)
            Throw.Usage($"{head.Name} knows {head.ClassCount} classes, but {info.Labels.Count} labels are given");
    }

    private static void WriteSynced(string file, ModelProto model)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        ModelSerializer.Write(model, stream);
        // On the disk before it is renamed, so that a power cut leaves no empty classifier.
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Runs the written file on the replay's photos.</summary>
    private static double Verify(string file, string written, CutModel cut, IHead head, Replay replay)
    {
        if (replay.Probabilities.Length != replay.Count * head.ClassCount)
            throw new ArgumentException(
                $"replay of {replay.Count} photos with {replay.Probabilities.Length} probabilities",
                nameof(replay)
            );
        using var classifier = Load(file, written);
        var pixels = 3 * cut.InputHeight * cut.InputWidth;
        var step = cut.AtMost(ReplayBatch);
        var (largest, worst) = (0.0, -1);
        for (var start = 0; start < replay.Count; start += step)
        {
            replay.Cancellation.ThrowIfCancellationRequested();
            var n = Math.Min(step, replay.Count - start);
            var batch = new float[n * pixels];
            for (var i = 0; i < n; i++)
                replay.FillPixels(start + i, batch.AsSpan(i * pixels, pixels));
            var probabilities = classifier.Predict(batch, n);
            for (var i = 0; i < probabilities.Length; i++)
            {
                var difference = Math.Abs((double)probabilities[i] - replay.Probabilities[start * head.ClassCount + i]);
                // Written so that NaN counts as the largest difference.
                if (!(difference <= largest))
                    (largest, worst) = (double.IsNaN(difference) ? double.PositiveInfinity : difference, start + i / head.ClassCount);
            }
        }

        if (!(largest <= replay.Tolerance))
            Throw.JobFailed(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file}: not written: on photo {worst} of the replay its probabilities differ from those of the cached vectors "
                        + $"by {largest:0.0e-0}, allowed are {replay.Tolerance:0.0e-0}; extract the features again with this model, "
                        + $"cut and decoder"
                )
            );
        return largest;
    }

    private static Classifier Load(string file, string written)
    {
        try
        {
            return Classifier.Open(written);
        }
        catch (Exception e) when (e is OnnxRuntimeException or BadInputException)
        {
            throw new JobFailedException(
                $"{file}: not written: ONNX Runtime refuses the classifier ({e.OneLine()}); the backbone's operator set may be too "
                    + $"old for this head",
                e
            );
        }
    }
}
