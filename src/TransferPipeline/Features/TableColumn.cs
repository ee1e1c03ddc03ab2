using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>A column of a table that this program writes; every row has a value.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Repeats">Few values take turns, so that a dictionary of them makes the file smaller.</param>
internal abstract record TableColumn<TRow>(string Name, ColumnType Type, bool Repeats);

/// <param name="Value">The value of a row.</param>
internal sealed record TextColumn<TRow>(string Name, bool Repeats, Func<TRow, string> Value)
    : TableColumn<TRow>(Name, ColumnType.Text, Repeats);

/// <param name="Value">The value of a row.</param>
internal sealed record Int32Column<TRow>(string Name, bool Repeats, Func<TRow, int> Value)
    : TableColumn<TRow>(Name, ColumnType.Int32, Repeats);

/// <param name="Value">The value of a row.</param>
internal sealed record Int64Column<TRow>(string Name, bool Repeats, Func<TRow, long> Value)
    : TableColumn<TRow>(Name, ColumnType.Int64, Repeats);
