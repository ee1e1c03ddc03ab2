using TransferPipeline.Heads.Common;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>Scaled vectors and classes of some rows on the training device; its tensors belong to the caller's dispose scope.</summary>
internal sealed class TorchRows
{
    private readonly int[] _places;

    public TorchRows(TrainingRows data, int[] rows, FeatureScaling scaling, Device device)
    {
        var columns = data.X.Columns;
        // Beyond 2^31 values the product would wrap around to a smaller array.
        var values = new float[checked(rows.Length * columns)];
        _places = new int[data.X.Rows];
        for (var i = 0; i < rows.Length; i++)
        {
            scaling.Apply(data.X.Row(rows[i]), values.AsSpan(i * columns, columns));
            _places[rows[i]] = i;
        }

        X = tensor(values, [rows.Length, columns], device: device);
        // cross_entropy takes classes as 64-bit integers.
        Y = tensor(Array.ConvertAll(rows, row => (long)data.Y[row]), device: device);
        Device = device;
    }

    /// <summary>Rows x D.</summary>
    public Tensor X { get; }

    public Tensor Y { get; }

    private Device Device { get; }

    /// <param name="rows">Rows of the matrix.</param>
    public (Tensor X, Tensor Y) Batch(ReadOnlySpan<int> rows)
    {
        var places = new long[rows.Length];
        for (var i = 0; i < places.Length; i++)
            places[i] = _places[rows[i]];
        var chosen = tensor(places, device: Device);
        return (X.index_select(0, chosen), Y.index_select(0, chosen));
    }
}
