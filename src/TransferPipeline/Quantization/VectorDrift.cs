using System.Numerics.Tensors;
using Google.Protobuf;
using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>Vectors of some photos by the float network, and how far other forms of it are from them.</summary>
internal sealed class VectorDrift
{
    private readonly FloatNetwork _network;
    private readonly CalibrationPhotos _photos;
    private readonly int _threads;
    private readonly float[][] _exact;

    public VectorDrift(FloatNetwork network, CalibrationPhotos photos, int threads, CancellationToken cancellation)
    {
        (_network, _photos, _threads) = (network, photos, threads);
        _exact = Vectors(network.Model, cancellation);
    }

    /// <summary>Mean cosine between the photos' vectors by the float network and by another form of it.</summary>
    public double Cosine(ModelProto model, CancellationToken cancellation)
    {
        var vectors = Vectors(model, cancellation);
        var sum = 0.0;
        for (var i = 0; i < vectors.Length; i++)
        {
            var cosine = TensorPrimitives.CosineSimilarity(vectors[i], _exact[i]);
            // A vector of zeros has no direction; it counts as unlike, not as an error.
            sum += float.IsNaN(cosine) ? 0 : cosine;
        }

        return sum / vectors.Length;
    }

    private float[][] Vectors(ModelProto model, CancellationToken cancellation)
    {
        // Without the layers behind the feature, which are in float in every form and only cost time.
        var cut = GraphPruner.Cut(model, new GraphIndex(model.Graph, _network.Input.Name), [_network.Feature]);
        cut.Graph.Output.Add(new ValueInfoProto { Name = _network.Feature });
        using var session = Sessions.Create(cut);
        var vectors = new float[_photos.Count][];
        _photos.Run(
            session,
            _network.Input,
            [_network.Feature],
            _threads,
            (photo, _, outputs) => vectors[photo] = outputs[0].GetTensorDataAsSpan<float>().ToArray(),
            cancellation
        );
        return vectors;
    }
}
