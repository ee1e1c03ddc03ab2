using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Heads;

/// <summary>What holds for every head: scores, probabilities, the exported graph and threads agree.</summary>
internal static class HeadChecks
{
    public static float[] Scores(IHead head, FeatureMatrix x, int[] rows, int threads = 1)
    {
        var scores = new float[rows.Length * head.ClassCount];
        head.Score(x, rows, scores, threads);
        return scores;
    }

    public static float[] Probabilities(IHead head, FeatureMatrix x, int[] rows)
    {
        var scores = Scores(head, x, rows);
        for (var i = 0; i < rows.Length; i++)
            head.ToProbabilities(scores.AsSpan(i * head.ClassCount, head.ClassCount));
        return scores;
    }

    public static int[] Predictions(ReadOnlySpan<float> scores, int classes)
    {
        var predictions = new int[scores.Length / classes];
        for (var i = 0; i < predictions.Length; i++)
        {
            var row = scores.Slice(i * classes, classes);
            for (var c = 1; c < classes; c++)
            {
                if (row[c] > row[predictions[i]])
                    predictions[i] = c;
            }
        }

        return predictions;
    }

    public static double Accuracy(IHead head, FeatureMatrix x, int[] y, int[] rows)
    {
        var predictions = Predictions(Scores(head, x, rows, 2), head.ClassCount);
        return rows.Where((row, i) => predictions[i] == y[row]).Count() / (double)rows.Length;
    }

    /// <summary>Probabilities of an ONNX model that holds the head alone.</summary>
    public static float[] OnnxProbabilities(IHead head, FeatureMatrix x, int[] rows, int opset = 17)
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new() { Name = "head" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        model.Graph.Input.Add(GraphWriter.Declare("features", TensorProto.Types.DataType.Float, -1, x.Columns));
        var writer = new GraphWriter(model);
        writer.Output(head.Export(writer, "features"), "probabilities", TensorProto.Types.DataType.Float, -1, head.ClassCount);
        using var session = new InferenceSession(model.ToByteArray());
        var input = new DenseTensor<float>(x.Select(rows).Data, [rows.Length, x.Columns]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("features", input)]);
        return results[0].AsTensor<float>().ToArray();
    }

    /// <summary>ONNX Runtime's probabilities are the head's own, and scores of one and of two threads the same bytes.</summary>
    public static void AgreesWithItself(IHead head, FeatureMatrix x, int[] rows, double tolerance = 1e-5)
    {
        Assert.Null(head.NotExportable);
        var own = Probabilities(head, x, rows);
        AssertClose(own, OnnxProbabilities(head, x, rows), tolerance);
        for (var i = 0; i < rows.Length; i++)
            Assert.Equal(1, own.AsSpan(i * head.ClassCount, head.ClassCount).ToArray().Sum(p => (double)p), 4);
        Assert.Equal(Predictions(Scores(head, x, rows), head.ClassCount), Predictions(own, head.ClassCount));
        AssertSameBytes(Scores(head, x, rows, 1), Scores(head, x, rows, 2));
    }

    public static void AssertSameBytes(float[] expected, float[] actual) =>
        Assert.True(MemoryMarshal.AsBytes(expected.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(actual.AsSpan())), "values differ");

    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance,
                $"value {i}: expected {expected[i]}, found {actual[i]}, tolerance {tolerance}"
            );
    }
}
