using Microsoft.ML;
using Microsoft.ML.Data;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>
/// Rows of a feature matrix as ML.NET reads data: column Features (D floats) and column Label. A row goes into the reader's own buffer
/// when it is read, so nothing is in memory twice.
/// </summary>
internal sealed class RowView : IDataView
{
    public const string Features = "Features",
        Label = "Label";

    private readonly FeatureMatrix _x;
    private readonly int[] _rows;
    private readonly int[] _y;
    private readonly FeatureScaling _scaling;
    private readonly int? _positive;
    private readonly CancellationToken _cancellation;

    private RowView(
        FeatureMatrix x,
        int[] rows,
        int[] y,
        FeatureScaling scaling,
        int? positive,
        DataViewType label,
        CancellationToken cancellation
    )
    {
        (_x, _rows, _y, _scaling, _positive, _cancellation) = (x, rows, y, scaling, positive, cancellation);
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(Features, new VectorDataViewType(NumberDataViewType.Single, x.Columns));
        schema.AddColumn(Label, label);
        Schema = schema.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => true;

    /// <summary>Label is a key: the class from 1 to K.</summary>
    public static RowView Classes(TrainingRows data, FeatureScaling scaling, CancellationToken cancellation) =>
        new(data.X, data.Rows, data.Y, scaling, null, new KeyDataViewType(typeof(uint), data.ClassCount), cancellation);

    /// <summary>Label is true for the rows of one class.</summary>
    public static RowView OneAgainstAll(TrainingRows data, int positive, FeatureScaling scaling, CancellationToken cancellation) =>
        new(data.X, data.Rows, data.Y, scaling, positive, BooleanDataViewType.Instance, cancellation);

    /// <summary>Rows to score; their labels are false.</summary>
    public static RowView Unlabelled(FeatureMatrix x, int[] rows, FeatureScaling scaling) =>
        new(x, rows, [], scaling, -1, BooleanDataViewType.Instance, default);

    public long? GetRowCount() => _rows.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, [.. columnsNeeded.Select(c => c.Index)], rand is null ? _rows : Shuffle(_rows, rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        // One cursor, whatever ML.NET asks for: with several the order of the rows would depend on threads.
        [GetRowCursor(columnsNeeded, rand)];

    /// <summary>ML.NET's generator promises only Next(int).</summary>
    private static int[] Shuffle(int[] rows, Random random)
    {
        int[] shuffled = [.. rows];
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var other = random.Next(i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }

        return shuffled;
    }

    private sealed class Cursor(RowView view, HashSet<int> active, int[] rows) : DataViewRowCursor
    {
        private int _at = -1;

        public override long Position => _at < rows.Length ? _at : -1;

        public override long Batch => 0;

        public override DataViewSchema Schema => view.Schema;

        public override bool MoveNext()
        {
            // ML.NET takes no token, but its trainers read their rows here: a canceled fit ends at the next one.
            view._cancellation.ThrowIfCancellationRequested();
            _at = Math.Min(_at + 1, rows.Length);
            return _at < rows.Length;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        // The row's number in the matrix, which shuffling does not change.
        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)rows[_at], 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter =
                column.Name == Features ? (ValueGetter<VBuffer<float>>)GetFeatures
                : view._positive is null ? (ValueGetter<uint>)GetClass
                : (ValueGetter<bool>)IsPositive;
            return getter as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"column '{column.Name}' holds {column.Type}, not {typeof(TValue).Name}");
        }

        private void GetFeatures(ref VBuffer<float> value)
        {
            var editor = VBufferEditor.Create(ref value, view._x.Columns);
            view._scaling.Apply(view._x.Row(rows[_at]), editor.Values);
            value = editor.Commit();
        }

        // Keys count from 1; 0 is a missing value.
        private void GetClass(ref uint value) => value = (uint)view._y[rows[_at]] + 1;

        // Rows to score have no labels, and -1 for the class.
        private void IsPositive(ref bool value) => value = view._positive >= 0 && view._y[rows[_at]] == view._positive;
    }
}
