using TransferPipeline.Features;

namespace TransferPipeline.Heads.Streaming;

/// <summary>Training rows that are read in blocks, as often as needed, because they are more than memory holds.</summary>
public interface IRowStream
{
    /// <summary>Values of a vector.</summary>
    int Columns { get; }

    /// <summary>Class of each row, in the order of reading.</summary>
    IReadOnlyList<int> Labels { get; }

    /// <summary>Reads all rows in order; calls <paramref name="block"/> with vectors, the number of the first of them and how many there are. The matrix is reused.</summary>
    void Read(Action<FeatureMatrix, int, int> block);
}
