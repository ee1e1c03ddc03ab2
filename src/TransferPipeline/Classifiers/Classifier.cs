using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Classifiers;

/// <summary>A classifier.onnx in use: from preprocessed pixels to class probabilities. Thread-safe.</summary>
internal sealed class Classifier : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string _input;

    private Classifier(string file, ClassifierInfo info, InferenceSession session)
    {
        (File, Info, _session) = (file, info, session);
        _input = session.InputNames[0];
    }

    public string File { get; }

    public ClassifierInfo Info { get; }

    /// <param name="threads">Threads of one run; 0 leaves it to ONNX Runtime (one per core).</param>
    /// <exception cref="BadInputException">The file is not ONNX, or not a classifier that this program wrote.</exception>
    public static Classifier Open(string file, int threads = 0)
    {
        // The graph is read without ONNX Runtime first: a file that is no
        // classifier of ours then has a message of ours.
        var onnx = OnnxFile.Read(file);
        var info = ClassifierInfo.ReadFrom(onnx.File, onnx.Model);
        // Anything below fatal would print ONNX Runtime's own lines between those of the command.
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        IntegerArithmetic.RequireExactSums(options, onnx.Model.Graph);
        InferenceSession session;
        try
        {
            // In slices, since packing holds a weight twice while it is loaded.
            session = MappedWeights.CreateSession(onnx.Model, options, slice: true);
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException($"{onnx.File}: ONNX Runtime cannot load it: {e.OneLine()}", e);
        }

        if (Problem(session, info) is not { } problem)
            return new(onnx.File, info, session);
        session.Dispose();
        throw new BadInputException($"{onnx.File}: {problem}, as 'transfer export' writes them");
    }

    /// <summary>What the graph and the metadata do not agree about; null where they do.</summary>
    private static string? Problem(InferenceSession session, ClassifierInfo info)
    {
        const string Output = ClassifierExport.ProbabilitiesOutput;
        if (session.InputNames.Count != 1 || !session.OutputNames.Contains(Output))
            return $"expected one input and the output '{Output}'";
        // Converters to float16 change both, which shows when it runs and not while it is loaded.
        var (pixels, values) = (session.InputMetadata[session.InputNames[0]], session.OutputMetadata[Output]);
        if (pixels.ElementType != typeof(float) || values.ElementType != typeof(float))
            return $"its input holds {pixels.ElementDataType} and its output '{Output}' {values.ElementDataType} values; expected Float "
                + $"of both";
        // A dimension that stays open is negative.
        if (session.OutputMetadata[Output].Dimensions is [.., var classes] && classes > 0 && classes != info.Labels.Count)
            return $"its output '{Output}' has {classes} values, and its metadata name {info.Labels.Count} classes; expected as many";
        int[] expected = info.Layout == TensorLayout.Nchw ? [3, info.InputHeight, info.InputWidth] : [info.InputHeight, info.InputWidth, 3];
        return
            session.InputMetadata[session.InputNames[0]].Dimensions is [_, .. var found]
            && (found.Length != expected.Length || found.Zip(expected).Any(d => d.First > 0 && d.First != d.Second))
            ? $"its input is not N x {string.Join(" x ", expected)}, which its metadata state; expected the same"
            : null;
    }

    /// <summary>Class probabilities of <paramref name="count"/> photos: count x classes, row-major.</summary>
    /// <param name="pixels">count x 3 x height x width values in the layout of <see cref="ClassifierInfo.Layout"/>, preprocessed.</param>
    public float[] Predict(float[] pixels, int count)
    {
        var size = 3 * Info.InputHeight * Info.InputWidth;
        if (pixels.Length < count * size)
            throw new ArgumentException($"{count} photos need {count * size} values, {pixels.Length} are given", nameof(pixels));
        var probabilities = new float[count * Info.Labels.Count];
        for (var start = 0; start < count; )
        {
            // The exporter of a backbone may have fixed its batch.
            var n = Math.Min(Info.MaxBatch, count - start);
            long[] shape =
                Info.Layout == TensorLayout.Nchw ? [n, 3, Info.InputHeight, Info.InputWidth] : [n, Info.InputHeight, Info.InputWidth, 3];
            using var input = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance,
                pixels.AsMemory(start * size, n * size),
                shape
            );
            using var options = new RunOptions();
            using var results = _session.Run(options, [_input], [input], [ClassifierExport.ProbabilitiesOutput]);
            results[0].GetTensorDataAsSpan<float>().CopyTo(probabilities.AsSpan(start * Info.Labels.Count));
            start += n;
        }

        return probabilities;
    }

    public void Dispose() => _session.Dispose();
}
