namespace TransferPipeline.Heads.Common;

/// <summary>Training rows that are read in blocks, as often as needed, because they are more than memory holds.</summary>
internal interface IRowStream
{
    /// <summary>Values of a vector.</summary>
    int Columns { get; }

    /// <summary>Class of each row, in the order of reading.</summary>
    IReadOnlyList<int> Labels { get; }

    /// <summary>Names of the classes, by which settings may call them; empty when they have none.</summary>
    IReadOnlyList<string> ClassNames => [];

    /// <summary>What messages call a row: its number and, where it is known, its photo.</summary>
    string NameOf(int row) => $"row {row}";

    /// <summary>
    /// Reads all rows in order; calls <paramref name="block"/> with vectors, the number of the first of them and how many there are. The
    /// matrix is reused.
    /// </summary>
    void Read(Action<FeatureMatrix, int, int> block);
}
