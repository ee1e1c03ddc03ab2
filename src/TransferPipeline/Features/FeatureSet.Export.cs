using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using CsvHelper;

namespace TransferPipeline.Features;

/// <summary>Forms in which a feature set can be handed to other programs.</summary>
public enum ExportFormat
{
    /// <summary>PREFIX.npy, N x D float32, with PREFIX.csv.</summary>
    Npy,

    /// <summary>PREFIX.csv with path, label, split and one column per value.</summary>
    Csv,

    /// <summary>PREFIX.parquet, one file with all rows.</summary>
    Parquet,
}

public sealed partial class FeatureSet
{
    /// <summary>Writes all rows in the dataset's order for other programs.</summary>
    /// <returns>The files written.</returns>
    public IReadOnlyList<string> Export(ExportFormat format, string prefix)
    {
        var files = FilesOf(format, prefix);
        foreach (var file in files)
            SetWriter.RequireForeign(file);
        // All parts are hashed here once; the loads below need not do so again.
        RequireIntact();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(prefix))!);
        switch (format)
        {
            case ExportFormat.Npy:
                // One inside the other: both are written before either gets its name, since rows of an old file beside new vectors
                // would be taken for theirs.
                DurableFile.Write(
                    files[1],
                    file =>
                    {
                        WriteCsv(file, LoadRows(), null);
                        DurableFile.Write(files[0], ExportNpy);
                    }
                );
                break;
            case ExportFormat.Csv:
                var data = Load(verify: false);
                DurableFile.Write(files[0], file => WriteCsv(file, data.Rows, data.X));
                break;
            default:
                var all = Load(verify: false);
                DurableFile.Write(files[0], file => _table.Write(file, all.Rows, all.X));
                break;
        }

        return files;
    }

    /// <summary>The files that an export writes.</summary>
    /// <exception cref="UsageException">The prefix ends in no name.</exception>
    internal static IReadOnlyList<string> FilesOf(ExportFormat format, string prefix) =>
        Path.GetFileName(prefix) is "" or "." or ".."
            ? throw new UsageException($"the prefix '{prefix}' is a folder, expected a path with a name, such as out/vectors")
        : format == ExportFormat.Npy ? [prefix + ".npy", prefix + ".csv"]
        : [$"{prefix}.{format.ToString().ToLowerInvariant()}"];

    /// <summary>NumPy's format 1.0, C order; parts are written at their place, so that memory holds one part at a time.</summary>
    private void ExportNpy(string file)
    {
        var header = NpyFile.Header(Rows, Dimension);
        var rowBytes = (long)Dimension * sizeof(float);
        using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(handle, header, 0);
        for (var p = 0; p < Manifest.Parts.Count; p++)
        {
            var (vectors, ranks) = (ReadVectors(Manifest.Parts[p]), Ranks[p]);
            // Parts are mostly in the dataset's order, so that long runs of rows are written at once.
            for (var i = 0; i < ranks.Length; )
            {
                var run = 1;
                while (i + run < ranks.Length && ranks[i + run] == ranks[i] + run)
                    run++;
                var values = vectors.Data.AsSpan(i * Dimension, run * Dimension);
                RandomAccess.Write(handle, MemoryMarshal.AsBytes(values), header.Length + ranks[i] * rowBytes);
                i += run;
            }
        }
    }

    private void WriteCsv(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix? vectors)
    {
        var views = rows.Any(r => r.View > 0);
        // Without a byte-order mark, which Python's csv module takes for a part of the first column's name.
        using var text = new StreamWriter(file, false, new UTF8Encoding(false), 1 << 16);
        using var csv = CsvWriter.Create(text, new() { NewLine = "\n" }, leaveOpen: true);
        var names = Enumerable.Range(0, vectors is null ? 0 : Dimension).Select(d => string.Create(CultureInfo.InvariantCulture, $"f{d}"));
        csv.WriteRecord(["path", "label", "split", .. views ? (string[])["view"] : [], .. names]);
        for (var i = 0; i < rows.Count; i++)
        {
            csv.WriteField(rows[i].Path);
            csv.WriteField(rows[i].Label);
            csv.WriteField(rows[i].Split);
            if (views)
                csv.WriteField(rows[i].View, default, CultureInfo.InvariantCulture);
            if (vectors is not null)
            {
                foreach (var value in vectors.Row(i))
                    // R gives the shortest text that reads back as the same float.
                    csv.WriteField(value, "R", CultureInfo.InvariantCulture);
            }

            csv.EndRecord();
        }
    }
}
