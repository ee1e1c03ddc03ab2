using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Features;

/// <summary>What we write is read by a library of another family with equal values.</summary>
public abstract class HyparquetSuite : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IFeatureTable _table;

    protected HyparquetSuite() => _table = Create();

    protected abstract IFeatureTable Create();

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(500, 1280)]
    [InlineData(4100, 5)]
    public void Write_PartOfAFeatureSet_IsReadByHyparquetWithEqualValues(int rows, int columns)
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(rows, columns);
        _table.Write(file, written, vectors);
        var read = ReadWithHyparquet(file);

        Assert.Equal(rows, read.Count);
        for (var i = 0; i < rows; i++)
        {
            var row = read[i];
            Assert.Equal(["path", "label", "split", "view", "image_sha256", "bytes", "mtime", "width", "height", "vector"], row.EnumerateObject().Select(p => p.Name));
            Assert.Equal(written[i], new FeatureRow(
                Text(row, "path"), Text(row, "label"), Text(row, "split"), int.Parse(Text(row, "view")), Text(row, "image_sha256"),
                long.Parse(Text(row, "bytes")), long.Parse(Text(row, "mtime")), int.Parse(Text(row, "width")), int.Parse(Text(row, "height"))));
            Assert.Equal(vectors.Row(i), MemoryMarshal.Cast<byte, float>(Convert.FromBase64String(Text(row, "vector"))));
        }
    }

    [Fact]
    public void WriteFailed_IsReadByHyparquet()
    {
        var file = _folder.At("failed.parquet");
        _table.WriteFailed(file, [new FailedRow("a/1.jpg", "a", "train", "00ff", 12, -3, "truncated: 12 of 40 bytes")]);
        var row = Assert.Single(ReadWithHyparquet(file));
        Assert.Equal("""{"path":"a/1.jpg","label":"a","split":"train","image_sha256":"00ff","bytes":"12","mtime":"-3","reason":"truncated: 12 of 40 bytes"}""", row.GetRawText());
    }

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static List<JsonElement> ReadWithHyparquet(string file)
    {
        var script = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Features", "read-with-hyparquet.mjs");
        var library = Path.Combine(SharedData.Repository, "build", "node_modules", "hyparquet");
        var start = new ProcessStartInfo("node", [script, library, file]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync();
        var lines = node.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        node.WaitForExit();
        Assert.True(node.ExitCode == 0, errors.Result);
        return [.. lines.Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
