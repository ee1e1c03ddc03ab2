using System.Globalization;
using System.Text.RegularExpressions;

namespace TransferPipeline.Features;

/// <summary>Changes one feature set on disk; after every step the manifest names a whole and consistent set.</summary>
internal sealed partial class SetWriter
{
    private readonly IFeatureTable _table;
    private readonly List<(int Entry, FailedRow Row)> _failed;
    private string? _before;
    private FeatureManifest _manifest;
    private List<FailedRow>? _failedOnDisk;

    /// <param name="manifest">As it shall be, with the parts and the failed list that are on disk now.</param>
    /// <param name="before">The manifest file's text now, or null.</param>
    public SetWriter(
        string folder,
        FeatureManifest manifest,
        string? before,
        IReadOnlyList<(int, FailedRow)> failed,
        List<FailedRow>? failedOnDisk,
        IFeatureTable table
    )
    {
        // A number that a part has already would replace that part before the manifest no longer names it.
        var next = manifest.Parts.Select(p => NumberOf(p.File) + 1 ?? 0).Append(manifest.NextPart).Append(0).Max();
        _manifest = manifest with { NextPart = next };
        (Folder, _before, _failed, _failedOnDisk, _table) = (folder, before, [.. failed], failedOnDisk, table);
    }

    public string Folder { get; }

    public FeatureManifest Manifest => _manifest;

    public int FailedCount => _failed.Count;

    public FailedRow? FirstFailed => _failed.Count == 0 ? null : _failed.MinBy(f => f.Entry).Row;

    public static string PartName(int number, string extension = "parquet") =>
        string.Create(CultureInfo.InvariantCulture, $"part-{number:D5}.{extension}");

    /// <summary>The number in a part's name; null for a name that no extraction gives.</summary>
    public static int? NumberOf(string name) =>
        Part().Match(name) is { Success: true } match
        && int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>Removes what a killed run left: temporaries, and parts and lists of failed photos that were never committed.</summary>
    public static void RemoveStrays(string folder, FeatureManifest? manifest)
    {
        // Without a manifest it is not known which parts are committed, so that none is removed.
        var committed = manifest?.Parts.Append(manifest.Failed).Select(p => p?.File).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder).ToList())
        {
            var name = Path.GetFileName(file);
            // Names of this program alone: what a user keeps in the folder is not removed.
            var stray =
                Temporary().IsMatch(name)
                || (committed is not null && (name == FailedFile || Part().IsMatch(name)) && !committed.Contains(name));
            if (stray)
                File.Delete(file);
        }
    }

    /// <exception cref="BadInputException">The folder holds files that are no feature set's.</exception>
    public static void RequireOwn(string folder)
    {
        var foreign = Directory
            .EnumerateFileSystemEntries(folder)
            .Select(f => Path.GetFileName(f)!)
            .FirstOrDefault(n => n != ".lock" && !Temporary().IsMatch(n));
        if (foreign is not null)
            throw new BadInputException($"{folder} is not empty ({foreign}) and is not a feature set: choose another folder with --out");
    }

    /// <summary>Refuses a file that a feature set in its folder would overwrite or remove, or be damaged by.</summary>
    /// <exception cref="UsageException">A feature set has files of that name.</exception>
    public static void RequireForeign(string file)
    {
        var (folder, name) = (Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file));
        if (
            (name is FailedFile or FeatureManifest.FileName || Part().IsMatch(name))
            && File.Exists(Path.Combine(folder, FeatureManifest.FileName))
        )
            throw new UsageException($"{file} is the name of a file of the feature set in {folder}: choose another name");
    }

    /// <summary>Writes the parts whose rows changed anew and commits them together, then removes the old ones.</summary>
    public void Keep(IReadOnlyList<ReusedPart> kept, FeatureSet? old)
    {
        var parts = new List<FeaturePart>();
        foreach (var part in kept)
        {
            var order = RowOrder.Format(part.Positions);
            if (!part.Rewrite)
            {
                parts.Add(part.Part with { Order = order });
                continue;
            }

            // Verified before it is rewritten: a damaged part must not get a new, valid checksum.
            if (old!.FileProblem(part.Part) is { } problem)
                throw new BadInputException($"{Folder}: {problem}; delete that file and run again to have its vectors computed anew");
            var vectors = old.ReadVectors(part.Part).Select(part.Source);
            parts.Add(WritePart(part.Rows, vectors, order));
        }

        // Records are compared by value: a part whose rows stand elsewhere differs in its order.
        if (parts.SequenceEqual(_manifest.Parts))
            return;
        // Rows of changed photos are gone until they are computed: a run that is killed before must not leave a complete set.
        _manifest = _manifest with
        {
            Parts = parts,
            Complete = false,
        };
        // The manifest comes before the removal: at every moment it names only files that exist.
        _manifest.Write(Folder);
        RemoveStrays(Folder, _manifest);
    }

    /// <summary>Commits the rows of a part that are there; returns their number.</summary>
    public int Append(PartBuffer part, int output, Func<int, int, int> position, Func<int, bool> missing)
    {
        var slots = new List<int>(part.Count);
        for (var i = 0; i < part.Count; i++)
        {
            // A pass computes all cuts of a photo, but this set may have the row of one of them already.
            if (part.Rows[i] is not null && missing(position(part.Slots[i].Entry, part.Slots[i].View)))
                slots.Add(i);
        }

        _failed.AddRange(part.Failed);
        if (slots.Count == 0)
            return 0;
        var vectors = part.Vectors[output];
        // Where all photos gave a row, the buffer itself is written, without a copy of the vectors.
        if (slots.Count < part.Count)
            vectors = vectors.Select(slots.ToArray());
        var order = RowOrder.Format(slots.Select(i => position(part.Slots[i].Entry, part.Slots[i].View)).ToArray());
        // Both files come before the manifest, which names them with their hashes.
        var written = WritePart([.. slots.Select(i => part.Rows[i]!)], vectors, order);
        WriteFailed();
        _manifest = _manifest with { Parts = [.. _manifest.Parts, written], Complete = false };
        _manifest.Write(Folder);
        return slots.Count;
    }

    /// <summary>Commits the final state; writes nothing when that is what is there.</summary>
    public void Finish(bool complete, Func<ExtractionCost, ExtractionCost> cost)
    {
        WriteFailed();
        _manifest = _manifest with { Complete = complete, Cost = cost(_manifest.Cost) };
        // An unchanged set is not written: its files keep their times for backups and rsync.
        if (_manifest.ToJson() != _before)
            _manifest.Write(Folder);
        RemoveStrays(Folder, _manifest);
    }

    private FeaturePart WritePart(IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors, string order)
    {
        var name = PartName(_manifest.NextPart, _table.PartExtension);
        var (bytes, sha) = Write(name, file => _table.Write(file, rows, vectors));
        _manifest = _manifest with { NextPart = _manifest.NextPart + 1 };
        return new(name, rows.Count, bytes, sha, order);
    }

    private void WriteFailed()
    {
        var rows = _failed.OrderBy(f => f.Entry).Select(f => f.Row).ToList();
        if (rows.Count == 0)
        {
            // The file itself goes when the manifest names it no more: RemoveStrays.
            _manifest = _manifest with
            {
                Failed = null,
            };
            _failedOnDisk = null;
            return;
        }

        if (_failedOnDisk is not null && rows.SequenceEqual(_failedOnDisk))
            return;
        // Two files cannot be replaced in one step: in between the manifest names no list instead of another one.
        if (_manifest.Failed is not null)
        {
            var between = _manifest with { Failed = null, Complete = false };
            between.Write(Folder);
            _before = between.ToJson();
        }

        var (bytes, sha) = Write(FailedFile, file => _table.WriteFailed(file, rows));
        _failedOnDisk = rows;
        _manifest = _manifest with { Failed = new(FailedFile, rows.Count, bytes, sha) };
    }

    private (long Bytes, string Sha256) Write(string name, Action<string> write)
    {
        // Files without a manifest are no feature set: a run that is killed after its first file could not be continued.
        if (_before is null && !File.Exists(Path.Combine(Folder, FeatureManifest.FileName)))
            _manifest.Write(Folder);
        var file = Path.Combine(Folder, name);
        var temporary = file + DurableFile.TemporarySuffix;
        try
        {
            write(temporary);
            var hash = DurableFile.Hash(temporary);
            DurableFile.Commit(temporary, file);
            return hash;
        }
        catch
        {
            // On a full disk half a part is in the way of everything else. Delete throws where the folder is gone.
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw;
        }
    }

    private const string FailedFile = "failed.parquet";

    [GeneratedRegex(@"^part-(\d{5,})\.(parquet|f16)$", RegexOptions.CultureInvariant)]
    private static partial Regex Part();

    [GeneratedRegex(@"^(part-\d{5,}\.(parquet|f16)|failed\.parquet|manifest\.json)(\..+-\d+)?\.tmp$", RegexOptions.CultureInvariant)]
    private static partial Regex Temporary();
}
