using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Parts of real backbones to train.</summary>
internal static class TunedParts
{
    public const int Classes = 3;

    /// <summary>The package's library asks for a newer libstdc++ than some systems have.</summary>
    public static void RequireTorch()
    {
        if (TorchTuner.Unavailable is { } reason)
            Assert.Skip(reason);
    }

    /// <summary>A whole backbone, from its pixels on, with a head that is not zero.</summary>
    public static TunedGraph Whole(string file)
    {
        var model = Backbone.Open(file).Cut();
        var dimension = model.Outputs[0].Dimension;
        return new()
        {
            Model = model.Model.Clone(),
            Inputs = [new(model.InputName, [3, model.InputHeight, model.InputWidth])],
            Head = new(
                model.Outputs[0].Name,
                dimension,
                Array.ConvertAll(OperatorCase.Values(Classes * dimension, 9), v => v / 10),
                new float[Classes]
            ),
        };
    }

    /// <summary>Noise over waves whose length depends on the class.</summary>
    public static TunedBatch Batch(TunedGraph graph, int photos, long part = 13)
    {
        int[] labels = [.. Enumerable.Range(0, photos).Select(i => i % Classes)];
        return new([.. graph.Inputs.Select(i => (ReadOnlyMemory<float>)Waves(i.Values))], labels);

        float[] Waves(int values)
        {
            var noise = OperatorCase.Values(photos * values, part);
            return [.. noise.Select((v, at) => v / 2 + MathF.Sin(at * (labels[at / values] + 1) * 0.05f))];
        }
    }

    /// <summary>The state after two steps of nine photos, which are no multiple of the eight shards.</summary>
    public static byte[] Trained(TunedGraph graph, TunerOptions options)
    {
        using var part = new TorchTuner().Open(graph, options);
        for (var step = 0; step < 2; step++)
            part.Train(Batch(graph, 9, step), 0.001, 0.01);
        return State(part);
    }

    /// <summary>Everything that training changes, as bytes.</summary>
    public static byte[] State(ITunedPart part)
    {
        using var stream = new MemoryStream();
        part.Save(stream);
        return stream.ToArray();
    }
}
