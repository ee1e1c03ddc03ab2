using Microsoft.ML.OnnxRuntime;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Operators with drawn attributes beside ONNX Runtime: the same values, or a refusal that names the node.</summary>
public sealed class DrawnOperatorTests
{
    public DrawnOperatorTests() => TunedParts.RequireTorch();

    public static TheoryData<string> Names => [.. DrawnOperators.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_OfDrawnAttributes_ComputesWhatOnnxRuntimeDoesOrIsRefused(string op)
    {
        var draws = new DrawnOperators(new Random(Array.IndexOf(DrawnOperators.Names, op) + 1));
        var (same, different) = (0, new List<string>());
        // Windows have the most attributes.
        for (var i = 0; i < (op.EndsWith("Pool", StringComparison.Ordinal) ? 200 : 40); i++)
        {
            if (Compare(op, draws.Next(op)) is not { } result)
                continue;
            same += result.Length == 0 ? 1 : 0;
            if (result.Length > 0)
                different.Add($"draw {i}: {result}");
        }

        Assert.Empty(different);
        Assert.NotEqual(0, same);
    }

    /// <returns>Null where one of both refuses it, an empty text where they agree.</returns>
    private static string? Compare(string op, OperatorCase drawn)
    {
        float[] expected;
        TunedGraph graph;
        var batch = drawn.Batch();
        try
        {
            graph = drawn.Create();
            expected = OnnxSession.Run(graph.Model, "cut", batch.Inputs[0].ToArray(), [OperatorCase.Photos, .. drawn.Shape]);
        }
        catch (OnnxRuntimeException)
        {
            // Drawn are attributes that ONNX Runtime does not take together, too.
            return null;
        }

        if (expected.Length == 0)
            return null;
        var actual = new float[expected.Length];
        try
        {
            using var part = TorchTuner.OpenPart(graph, new() { Threads = 1, Shards = 1 });
            part.Evaluate(batch, new float[OperatorCase.Photos * graph.Head.Classes], actual);
        }
        catch (BadInputException e)
        {
            Assert.Contains($"({op}): ", e.Message, StringComparison.Ordinal);
            Assert.EndsWith("; choose a cut behind it", e.Message, StringComparison.Ordinal);
            return null;
        }

        var largest = Math.Max(1e-3f, expected.Max(Math.Abs));
        // Equal infinities and NaN have no difference.
        var difference = expected.Zip(actual).Max(p => p.First.Equals(p.Second) ? 0 : Math.Abs(p.First - p.Second));
        return difference <= 1e-5f * largest ? "" : $"differs by {difference} of {largest}: {string.Join("; ", graph.Model.Graph.Node)}";
    }
}
