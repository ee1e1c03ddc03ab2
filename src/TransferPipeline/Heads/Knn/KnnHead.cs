using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>The training vectors and their classes; a class's score is its share of the neighbours' votes.</summary>
internal sealed class KnnHead : IHead
{
    private readonly NeighbourIndex _index;
    private readonly int _k;
    private readonly bool _byDistance;

    public KnnHead(NeighbourIndex index, int classCount, Knn options)
    {
        (_index, ClassCount, Options) = (index, classCount, options);
        (_k, _byDistance) = (options.K, options.Weights == NeighbourWeights.Distance);
    }

    public string Name => "knn";

    public int ClassCount { get; }

    public int Dimension => _index.Points.Columns;

    public long ParameterCount => (long)_index.Points.Rows * _index.Points.Columns;

    public HeadOptions Options { get; }

    public FitReport Fit { get; } = new();

    public string? NotExportable => null;

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != Dimension)
            Throw.Usage($"{Name} was trained on vectors of length {Dimension}, these have {x.Columns}");
        var found = _index.Find(x, rows, threads);
        var votes = new double[ClassCount];
        for (var i = 0; i < rows.Length; i++)
        {
            Vote(found, i, votes);
            for (var c = 0; c < ClassCount; c++)
                scores[i * ClassCount + c] = (float)votes[c];
        }
    }

    /// <summary>The scores are shares of votes already.</summary>
    public void ToProbabilities(Span<float> scores) { }

    public string Export(IGraphWriter graph, string features) => new KnnExport(_index, ClassCount, _k, _byDistance).Write(graph, features);

    private void Vote(Neighbours found, int query, double[] votes)
    {
        Array.Clear(votes);
        // The index of a path finds more than k: found.K is the distance between queries.
        var rows = found.Rows.AsSpan(query * found.K, _k);
        var distances = found.Distances.AsSpan(query * found.K, _k);
        var total = 0.0;
        for (var i = 0; i < _k; i++)
        {
            // As in scikit-learn, neighbours at no distance at all outvote all others.
            var weight =
                !_byDistance ? 1
                : distances[0] < NeighbourIndex.SameVector ? (distances[i] < NeighbourIndex.SameVector ? 1 : 0)
                : 1 / distances[i];
            votes[_index.Labels[rows[i]]] += weight;
            total += weight;
        }

        for (var c = 0; c < votes.Length; c++)
            votes[c] /= total;
    }
}
