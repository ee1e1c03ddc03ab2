using System.Collections;
using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Extraction.Resume;

/// <summary>What a run has to do to one feature set: which vectors can be reused and which are missing.</summary>
/// <remarks>
/// <list type="number">
/// <item>Hash. A photo whose stamp is unchanged keeps its known hash. One whose length no old photo has is new, and is hashed when it is
/// read. The others are read and hashed now.</item>
/// <item>Place. A wanted vector is reused where the old set has its photo's hash and view, under whatever path; its row takes the new path,
/// label and split. Otherwise it is missing. A photo that failed before, with the same bytes, fails again without being decoded.</item>
/// <item>Keep. A part whose rows are all wanted, in their order and unchanged, stays as it is. The others are rewritten without what is
/// gone.</item>
/// </list>
/// </remarks>
internal sealed class ResumePlan
{
    private ResumePlan(int positions) => Missing = new BitArray(positions);

    public List<ReusedPart> Kept { get; } = [];

    /// <summary>By position: has to be computed.</summary>
    public BitArray Missing { get; }

    /// <summary>Photos that failed before and have not changed.</summary>
    public List<(int Entry, FailedRow Row)> Failed { get; } = [];

    public int Reused { get; private set; }

    public int Removed { get; private set; }

    /// <summary>The file system reports that every photo is unchanged, and the set holds them all.</summary>
    public bool IsConfirmed { get; private set; }

    public bool AnyMissing => Missing.HasAnySet();

    public static ResumePlan Make(
        FeatureSet? set,
        WantedVectors wanted,
        DecodeOptions limits,
        PhotoStamps? stamps,
        PhotoHashes hashes,
        Action<string> message,
        CancellationToken cancellation
    )
    {
        var plan = new ResumePlan(wanted.Positions);
        var old = new ReusableRows(set, limits, stamps, message);

        // 1. Hash.
        var shas = plan.FindHashes(old, wanted, hashes, cancellation);

        // 2. Place.
        var kept = new List<(int Row, int Position, FeatureRow New)>[old.Parts.Count];
        for (var p = 0; p < kept.Length; p++)
            kept[p] = new(old.Parts[p].Rows);
        for (var entry = wanted.FirstEntry; entry < wanted.EndEntry; entry++)
            plan.Place(entry, shas[entry - wanted.FirstEntry], old, wanted, kept);

        // 3. Keep. Two wanted photos may have one old vector, which is one row that is used.
        var used = 0;
        for (var p = 0; p < kept.Length; p++)
        {
            kept[p].Sort((a, b) => a.Row != b.Row ? a.Row.CompareTo(b.Row) : a.Position.CompareTo(b.Position));
            for (var i = 0; i < kept[p].Count; i++)
                used += i == 0 || kept[p][i].Row != kept[p][i - 1].Row ? 1 : 0;
            plan.Keep(old, p, kept[p]);
        }

        plan.Removed = old.Count - used;
        plan.IsConfirmed &= plan.Removed == 0 && !plan.AnyMissing;
        return plan;
    }

    /// <summary>By entry of the shard: its SHA-256 where that is known or needed, else null (the photo is new).</summary>
    private string?[] FindHashes(ReusableRows old, WantedVectors wanted, PhotoHashes hashes, CancellationToken cancellation)
    {
        var shas = new string?[wanted.EndEntry - wanted.FirstEntry];
        // Nothing but reading: with 200,000 photos these lookups miss the processor's cache, and threads wait beside each other.
        Blocks.For(
            shas.Length,
            1024,
            Environment.ProcessorCount,
            (_, first, end) =>
            {
                for (var i = first; i < end; i++)
                {
                    var entry = wanted.FirstEntry + i;
                    shas[i] = old.ShaOfUnchanged(wanted.Dataset.Entries[entry].Path, wanted.Stamps[entry], wanted.Changes[entry]);
                }
            },
            cancellation
        );

        // A photo of a length that no old one has cannot be one of them.
        var unsure = new List<int>();
        for (var i = 0; i < shas.Length; i++)
        {
            if (shas[i] is null && old.HasLength(wanted.Stamps[wanted.FirstEntry + i].Bytes))
                unsure.Add(wanted.FirstEntry + i);
        }

        // Before the hashes are filled in: what had to be read is not confirmed, even when it turns out the same.
        IsConfirmed = Array.TrueForAll(shas, sha => sha is not null);
        hashes.Compute(unsure, cancellation);
        foreach (var entry in unsure)
            shas[entry - wanted.FirstEntry] = hashes[entry] is { Length: > 0 } sha ? sha : null;
        return shas;
    }

    private void Place(int entry, string? sha, ReusableRows old, WantedVectors wanted, List<(int, int, FeatureRow)>[] kept)
    {
        var photo = wanted.Dataset.Entries[entry];
        var stamp = wanted.Stamps[entry];
        // A failure belongs to the bytes: the same bytes fail again, whatever the photo is called now.
        if (sha is not null && old.FailureOf(photo.Path, sha) is { } failure)
        {
            Failed.Add(
                (
                    entry,
                    failure with
                    {
                        Path = photo.Path,
                        Label = photo.Label,
                        Split = photo.Split,
                        Bytes = stamp.Bytes,
                        Mtime = stamp.Mtime,
                    }
                )
            );
            return;
        }

        for (var view = 0; view < wanted.Views(entry); view++)
        {
            if (sha is not null && old.Find(photo.Path, sha, view) is var (part, row, known))
            {
                kept[part]
                    .Add(
                        (
                            row,
                            wanted.Position(entry, view),
                            known with
                            {
                                Path = photo.Path,
                                Label = photo.Label,
                                Split = photo.Split,
                                Bytes = stamp.Bytes,
                                Mtime = stamp.Mtime,
                            }
                        )
                    );
                Reused++;
            }
            else
            {
                Missing[wanted.Position(entry, view)] = true;
            }
        }
    }

    private void Keep(ReusableRows old, int p, List<(int Row, int Position, FeatureRow New)> rows)
    {
        if (rows.Count == 0)
            return;
        var (part, before) = (old.Parts[p], old.RowsOf(p));
        var rewrite = rows.Count != before.Count;
        for (var i = 0; i < rows.Count && !rewrite; i++)
            // A part that keeps all its rows and their labels is kept as a file; its positions are in the manifest, not in the part.
            rewrite = rows[i].Row != i || rows[i].New != before[i];
        Kept.Add(new(part, [.. rows.Select(r => r.Row)], [.. rows.Select(r => r.Position)], [.. rows.Select(r => r.New)], rewrite));
    }
}
