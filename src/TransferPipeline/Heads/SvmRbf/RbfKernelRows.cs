using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Kernel rows computed when they are needed, the least recently used ones making room: for sets whose matrix would not fit.
/// </summary>
internal sealed unsafe class RbfKernelRows : IKernelRows, IDisposable
{
    /// <summary>Columns computed by one thread at once.</summary>
    private const int ColumnBlock = 512;

    /// <summary>Rows that a user may hold at the same time, see <see cref="IKernelRows.Row"/>.</summary>
    private const int LeastRows = 5;

    private readonly FeatureMatrix _x;
    private readonly int[] _members;
    private readonly float _gamma;
    private readonly int _threads;
    private readonly float[] _squares;
    private readonly FloatBuffer _values;
    private readonly Dictionary<int, LinkedListNode<(int Row, int Slot)>> _kept = [];
    private readonly LinkedList<(int Row, int Slot)> _recent = new();
    private readonly int _slots;

    /// <param name="members">The rows of x that make the matrix.</param>
    /// <param name="bytes">Memory for kept rows.</param>
    public RbfKernelRows(FeatureMatrix x, int[] members, double gamma, long bytes, int threads)
    {
        (_x, _members, _gamma, _threads) = (x, members, (float)gamma, threads);
        _squares = Array.ConvertAll(members, m => (float)ExactDistance.Dot(x.Row(m), x.Row(m)));
        _slots = (int)Math.Clamp(bytes / (4L * members.Length), LeastRows, members.Length + LeastRows);
        _values = new((long)_slots * members.Length);
    }

    public float* Row(int row, int first)
    {
        if (_kept.TryGetValue(row, out var node))
        {
            _recent.Remove(node);
            _recent.AddFirst(node);
            return Address(node.Value.Slot) + first;
        }

        // Slots are filled in order until all are in use, so the count is the next free one.
        var slot = _kept.Count;
        if (slot == _slots)
        {
            (var oldest, slot) = _recent.Last!.Value;
            _recent.RemoveLast();
            _kept.Remove(oldest);
        }

        Compute(row, Address(slot));
        _kept[row] = _recent.AddFirst((row, slot));
        return Address(slot) + first;
    }

    public void Dispose() => _values.Dispose();

    private float* Address(int slot) => _values.Pointer + (long)slot * _members.Length;

    private void Compute(int row, float* to)
    {
        Blocks.For(
            _members.Length,
            ColumnBlock,
            _threads,
            (_, start, end) =>
            {
                // The members are the kernel's rows, the wanted row its only "class".
                var addresses = stackalloc float*[end - start];
                fixed (float* data = _x.Data)
                {
                    for (var i = start; i < end; i++)
                        addresses[i - start] = data + (nint)_members[i] * _x.Columns;
                    RowDotKernel<float>.Run(
                        addresses,
                        end - start,
                        data + (nint)_members[row] * _x.Columns,
                        _x.Columns,
                        1,
                        _x.Columns,
                        to + start,
                        1
                    );
                }

                RbfKernel.FromProducts(
                    new Span<float>(to + start, end - start),
                    _squares.AsSpan(start, end - start),
                    _squares[row],
                    _gamma
                );
            }
        );
        // As in RbfKernelMatrix: the solver takes K_ii as 1.
        to[row] = 1;
    }
}
