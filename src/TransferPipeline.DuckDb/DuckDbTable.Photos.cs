using System.Globalization;
using TransferPipeline.Datasets;

namespace TransferPipeline.DuckDb;

public sealed partial class DuckDbTable
{
    public ParquetDescription Describe(string file) => throw new InvalidOperationException();

    public IEnumerable<PhotoTableRow> ReadPhotos(string file, string imageColumn, string? labelColumn) => throw new InvalidOperationException();
}
