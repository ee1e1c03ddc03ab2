using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.Features;

/// <summary>Forms in which a feature set can be handed to other programs.</summary>
public enum ExportFormat
{
    /// <summary>PREFIX.npy, N x D float32, with PREFIX.csv.</summary>
    Npy,

    /// <summary>PREFIX.csv with path, label, split and one column a value.</summary>
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
        RequireIntact();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(prefix))!);
        switch (format)
        {
            case ExportFormat.Npy:
                DurableFile.Write(prefix + ".npy", ExportNpy);
                DurableFile.Write(prefix + ".csv", file => WriteCsv(file, LoadRows(), null));
                return [prefix + ".npy", prefix + ".csv"];
            case ExportFormat.Csv:
                var data = Load(verify: false);
                DurableFile.Write(prefix + ".csv", file => WriteCsv(file, data.Rows, data.X));
                return [prefix + ".csv"];
            default:
                var all = Load(verify: false);
                DurableFile.Write(prefix + ".parquet", file => _table.Write(file, all.Rows, all.X));
                return [prefix + ".parquet"];
        }
    }

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
            for (var i = 0; i < ranks.Length;)
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
        using var writer = new StreamWriter(file, false, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        writer.Write(views ? "path,label,split,view" : "path,label,split");
        for (var d = 0; vectors is not null && d < Dimension; d++)
            writer.Write(string.Create(CultureInfo.InvariantCulture, $",f{d}"));
        writer.WriteLine();
        for (var i = 0; i < rows.Count; i++)
        {
            writer.Write($"{Quote(rows[i].Path)},{Quote(rows[i].Label)},{Quote(rows[i].Split)}");
            if (views)
                writer.Write(string.Create(CultureInfo.InvariantCulture, $",{rows[i].View}"));
            if (vectors is not null)
            {
                foreach (var value in vectors.Row(i))
                {
                    writer.Write(',');
                    writer.Write(value.ToString("R", CultureInfo.InvariantCulture));
                }
            }

            writer.WriteLine();
        }
    }

    /// <summary>RFC 4180: a field with a comma, quote or line break stands in quotes, and its quotes are doubled.</summary>
    private static string Quote(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
