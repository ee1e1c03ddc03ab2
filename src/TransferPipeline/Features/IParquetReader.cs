using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>
/// One Parquet file opened for reading; a Parquet adapter implements it. All methods throw <see cref="BadInputException"/> at damaged
/// bytes.
/// </summary>
internal interface IParquetReader : IDisposable
{
    /// <summary>Columns, metadata and number of rows.</summary>
    ParquetDescription Description { get; }

    /// <summary>Number of row groups.</summary>
    int Groups { get; }

    /// <summary>Number of rows of a row group.</summary>
    int Rows(int group);

    /// <summary>Number of values of a column of a row group as its header states it, missing ones and empty lists included.</summary>
    long Values(int group, string column);

    /// <summary>The texts of a column of a row group, one per row; null where there is none.</summary>
    string?[] Texts(int group, string column);

    /// <summary>The numbers of a column of a row group, one per row; null where there is none.</summary>
    int?[] Int32s(int group, string column);

    /// <summary>The numbers of a column of a row group, one per row; null where there is none.</summary>
    long?[] Int64s(int group, string column);

    /// <summary>The values of a column of texts or numbers as text, one per row; null where there is none.</summary>
    string?[] Labels(int group, string column);

    /// <summary>
    /// Hands out the bytes of a column, <paramref name="count"/> rows of a row group from <paramref name="first"/>, empty where there is
    /// none; they are valid during the call.
    /// </summary>
    void Binaries(int group, string column, int first, int count, BinaryAction action);

    /// <summary>The vectors of a row group, to be read from the first one on.</summary>
    /// <param name="width">Length that each must have.</param>
    /// <param name="fileRow">Number of the group's first row in the file, for messages.</param>
    IVectorReader Vectors(int group, string column, int width, long fileRow);
}

/// <param name="row">Number of the row in its group.</param>
internal delegate void BinaryAction(int row, ReadOnlySpan<byte> bytes);

/// <summary>Reads the vectors of one row group.</summary>
internal interface IVectorReader : IDisposable
{
    /// <summary>Reads the next vectors, as many as there is room for; the caller never requests more than the row group has.</summary>
    /// <exception cref="BadInputException">Damaged bytes, a vector of another length, or a row without one.</exception>
    void Read(Span<float> destination);
}
