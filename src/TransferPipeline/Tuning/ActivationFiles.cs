using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>The parts of a set of cached activations, mapped into memory. Several threads may read.</summary>
internal sealed unsafe class ActivationFiles : IDisposable
{
    private readonly List<(MemoryMappedFile File, MemoryMappedViewAccessor View)> _maps = [];
    private readonly Half*[] _rows;
    private readonly int _columns;

    /// <exception cref="BadInputException">A part is missing or damaged.</exception>
    public ActivationFiles(FeatureSet set)
    {
        (_columns, _rows) = (set.Dimension, new Half*[set.Rows]);
        var ranks = set.Ranks;
        for (var p = 0; p < set.Manifest.Parts.Count; p++)
        {
            var part = set.Existing(set.Manifest.Parts[p]);
            ActivationTable.RequireShape(part, ranks[p].Length, _columns);
            var file = MemoryMappedFile.CreateFromFile(part, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            _maps.Add((file, view));
            // One pointer for the whole life of the map: a lock per read would cost more than the copy.
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            var values = (Half*)(start + view.PointerOffset + ActivationTable.HeaderBytes);
            for (var i = 0; i < ranks[p].Length; i++)
                _rows[ranks[p][i]] = values + (long)i * _columns;
        }
    }

    /// <summary>Reads the activation of a row of the whole set.</summary>
    public void Read(int row, Span<float> to) => TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(_rows[row], _columns), to);

    public void Dispose()
    {
        foreach (var (file, view) in _maps)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            file.Dispose();
        }

        _maps.Clear();
    }
}
