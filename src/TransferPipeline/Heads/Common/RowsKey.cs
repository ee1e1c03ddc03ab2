using System.Runtime.InteropServices;

namespace TransferPipeline.Heads.Common;

/// <summary>
/// Key of work on some rows of a matrix: equal when the matrix is the same object, the rows are the same numbers and they are scaled alike.
/// </summary>
internal sealed class RowsKey(FeatureMatrix x, int[] rows, ScalingKind scaling = ScalingKind.None) : IEquatable<RowsKey>
{
    // Kept: a dictionary asks at every lookup, and there can be many thousand row numbers.
    private readonly int _hash = Hash(rows, scaling);
    private readonly FeatureMatrix _x = x;
    private readonly int[] _rows = rows;
    private readonly ScalingKind _scaling = scaling;

    public bool Equals(RowsKey? other) =>
        other is not null
        && _scaling == other._scaling
        // The same object: comparing values would read both matrices in full.
        && ReferenceEquals(_x, other._x)
        && (ReferenceEquals(_rows, other._rows) || _rows.AsSpan().SequenceEqual(other._rows));

    public override bool Equals(object? obj) => Equals(obj as RowsKey);

    public override int GetHashCode() => _hash;

    private static int Hash(int[] rows, ScalingKind scaling)
    {
        var hash = new HashCode();
        hash.Add(scaling);
        hash.AddBytes(MemoryMarshal.AsBytes(rows.AsSpan()));
        return hash.ToHashCode();
    }
}
