using TransferPipeline.Features;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>A feature set and what is known of it.</summary>
internal sealed record FeatureSource(FeatureSetSummary Summary, FeatureData Data)
{
    /// <summary>Heads that were trained with this set's backbone; compared on this set alone, as they are.</summary>
    public IReadOnlyList<HeadSpec> Trained { get; init; } = [];
}

/// <summary>
/// A feature set seen as photos: photo p is the p-th photo of the first set compared, whatever the order of rows in this one;
/// augmented copies are training rows of their photo.
/// </summary>
internal sealed class FeatureView
{
    private readonly int[] _rowOfPhoto;
    private readonly Dictionary<int, int[]> _copies;
    private readonly int[]? _photoOfRow;

    private FeatureView(FeatureData data, int[] rowOfPhoto, Dictionary<int, int[]> copies)
    {
        (Data, _rowOfPhoto, _copies) = (data, rowOfPhoto, copies);
        Y = Array.ConvertAll(rowOfPhoto, r => data.Y[r]);
        // Heads take null for rows that are photos of their own, and then need no table.
        if (copies.Count == 0)
            return;
        _photoOfRow = new int[data.Rows.Count];
        // A copy whose photo has no row of its own stays at -1; no training part contains it.
        Array.Fill(_photoOfRow, -1);
        for (var p = 0; p < rowOfPhoto.Length; p++)
        {
            foreach (var row in (int[])[rowOfPhoto[p], .. copies.GetValueOrDefault(p, [])])
                _photoOfRow[row] = p;
        }
    }

    public FeatureData Data { get; }

    public int PhotoCount => _rowOfPhoto.Length;

    public int ClassCount => Data.Classes.Count;

    /// <summary>Class of each photo.</summary>
    public int[] Y { get; }

    public FeatureRow Photo(int photo) => Data.Rows[_rowOfPhoto[photo]];

    public int[] RowsOf(int[] photos) => Array.ConvertAll(photos, p => _rowOfPhoto[p]);

    public int[] PhotosOf(string split) => [.. Enumerable.Range(0, PhotoCount).Where(p => Photo(p).Split == split)];

    /// <summary>Rows to train on: the photos and their augmented copies.</summary>
    public TrainingRows Training(int[] photos, int[] validationPhotos)
    {
        var rows = RowsOf(photos);
        if (_copies.Count > 0)
            rows = [.. rows, .. photos.SelectMany(p => _copies.GetValueOrDefault(p, []))];
        // Trainers require ascending rows, and the copies were appended.
        Array.Sort(rows);
        return new(Data.X, Data.Y, rows, ClassCount)
        {
            ClassNames = Data.Classes,
            ValidationRows = RowsOf(validationPhotos),
            Photos = _photoOfRow,
        };
    }

    /// <summary>The vectors of the given photos, in that order; a copy.</summary>
    public FeatureMatrix Vectors(int[] photos) => Data.X.Select(RowsOf(photos));

    // By photo instead of row, as all that reads predictions counts: a photo has another row in each set.
    public Predictions Evaluate(IHead head, int[] photos, int threads) =>
        Predictions.Of(head, Data.X, Data.Y, RowsOf(photos), threads) with
        {
            Photos = photos,
        };

    /// <summary>One view per set, after checking that all hold the same photos with the same labels and splits.</summary>
    /// <exception cref="BadInputException">They do not; the message names the first difference.</exception>
    public static FeatureView[] Align(IReadOnlyList<FeatureSource> sources)
    {
        var first = sources[0];
        var paths = RowsByPath(first);
        // A dictionary promises no order, and photos are numbered by the first set's rows.
        var order = paths.Values.Order().Select(r => first.Data.Rows[r].Path).ToArray();
        var photoOfPath = order.Select((path, photo) => (path, photo)).ToDictionary(p => p.path, p => p.photo, StringComparer.Ordinal);
        return
        [
            .. sources.Select(source =>
            {
                var rows = source == first ? paths : RowsByPath(source);
                CheckSame(first, paths, source, rows);
                var copies = Enumerable
                    .Range(0, source.Data.Rows.Count)
                    .Where(r => source.Data.Rows[r].View > 0 && photoOfPath.ContainsKey(source.Data.Rows[r].Path))
                    .GroupBy(r => photoOfPath[source.Data.Rows[r].Path])
                    .ToDictionary(g => g.Key, g => g.ToArray());
                return new FeatureView(source.Data, Array.ConvertAll(order, path => rows[path]), copies);
            }),
        ];
    }

    private static Dictionary<string, int> RowsByPath(FeatureSource source)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var r = 0; r < source.Data.Rows.Count; r++)
        {
            if (source.Data.Rows[r].View == 0 && !rows.TryAdd(source.Data.Rows[r].Path, r))
                Throw.BadInput($"{source.Summary.Folder}: photo '{source.Data.Rows[r].Path}' is in the feature set twice");
        }

        // Heads know rows alone; here a vector that is not finite is named by its photo.
        TrainingCheck.Finite(
            source.Data.X,
            [.. Enumerable.Range(0, source.Data.Rows.Count)],
            r => $"photo '{source.Data.Rows[r].Path}' (row {r} of {source.Summary.Folder})",
            new()
        );
        if (rows.Count == 0)
            Throw.BadInput($"{source.Summary.Folder}: the feature set holds no photos");
        if (source.Data.Classes.Count < 2)
            Throw.BadInput(
                $"{source.Summary.Folder}: all photos are of one class, '{source.Data.Classes.FirstOrDefault()}'; a classifier needs "
                    + $"at least two"
            );
        return rows;
    }

    private static void CheckSame(FeatureSource a, Dictionary<string, int> rowsA, FeatureSource b, Dictionary<string, int> rowsB)
    {
        var start = $"feature sets {a.Summary.Folder} and {b.Summary.Folder} do not match: ";
        var (onlyA, onlyB) = (
            rowsA.Keys.Where(p => !rowsB.ContainsKey(p)).ToArray(),
            rowsB.Keys.Where(p => !rowsA.ContainsKey(p)).ToArray()
        );
        if (onlyA.Length + onlyB.Length > 0)
        {
            var (photo, folder) = onlyA.Length > 0 ? (onlyA[0], a.Summary.Folder) : (onlyB[0], b.Summary.Folder);
            Throw.BadInput(
                $"{start}photo '{photo}' is only in {folder} ({onlyA.Length} photos are only in the first, {onlyB.Length} only in the "
                    + $"second); extract both from the same photos"
            );
        }

        foreach (var (path, row) in rowsA)
        {
            var (inA, inB) = (a.Data.Rows[row], b.Data.Rows[rowsB[path]]);
            if (inA.Split != inB.Split)
                Throw.BadInput($"{start}photo '{path}' is in split {inA.Split} of the first and in split {inB.Split} of the second");
            if (inA.Label != inB.Label)
                Throw.BadInput($"{start}photo '{path}' has label '{inA.Label}' in the first and '{inB.Label}' in the second");
            if (inA.ImageSha256 != inB.ImageSha256)
                Throw.BadInput($"{start}photo '{path}' was replaced between the extractions, its SHA-256 differs; extract again");
        }

        // Labels agree here, but class numbers index these lists:
        // a class without photos in one of them would shift the others.
        if (!a.Data.Classes.SequenceEqual(b.Data.Classes))
            Throw.BadInput($"{start}their classes differ ({a.Data.Classes.Count} and {b.Data.Classes.Count})");
    }
}
