using TransferPipeline.Features;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

/// <summary>Parts of cached activations: written, mapped, damaged.</summary>
public sealed class ActivationTableTests : IDisposable
{
    private const int Columns = 70_001; // more than one block, and no multiple of a vector register

    private readonly TempFolder _folder = new();
    private readonly ActivationTable _table = new(TestTable.Create());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_ThenRead_GivesTheNearestFloat16AndTheRows()
    {
        var (rows, values) = Sample(3);
        var file = _folder.At("part-00000.f16");
        _table.Write(file, rows, values);
        Assert.Equal(rows, _table.ReadRows(file));
        var read = new FeatureMatrix(3, Columns);
        Assert.Equal(3, _table.ReadVectors(file, read, 0));
        Assert.Equal(values.Data.AsSpan(0, 3 * Columns).ToArray().Select(v => (float)(Half)v), read.Data.AsSpan(0, 3 * Columns).ToArray());
    }

    [Fact]
    public void Files_OfASet_ReadEachRowByMemoryMap()
    {
        var (rows, values) = Sample(2);
        _table.Write(_folder.At("part-00000.f16"), rows, values);
        var (bytes, sha256) = DurableFile.Hash(_folder.At("part-00000.f16"));
        var manifest = new FeatureManifest
        {
            Recipe = null!,
            Dimension = Columns,
            Parts = [new("part-00000.f16", 2, bytes, sha256, "1+1,0+1")],
        };
        using var files = new ActivationFiles(new FeatureSet(_folder.Root, manifest, _table));
        var read = new float[Columns];
        for (var row = 0; row < 2; row++)
        {
            files.Read(row, read);
            Assert.Equal(values.Row(1 - row).ToArray().Select(v => (float)(Half)v), read);
        }
    }

    [Fact]
    public void Write_ValueBeyondFloat16_IsRefusedWithThePhoto()
    {
        var (rows, values) = Sample(1);
        values.Row(0)[Columns - 1] = 70_000;
        var error = Assert.Throws<JobFailedException>(() => _table.Write(_folder.At("x.f16"), rows, values));
        Assert.Contains("photo 0.jpg", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TruncatedAnywhere_IsBadInput()
    {
        var (rows, values) = Sample(1);
        var file = _folder.At("part.f16");
        _table.Write(file, rows, values);
        var whole = File.ReadAllBytes(file);
        foreach (var length in (int[])[0, 10, 63, 64, 1000, whole.Length - 300, whole.Length - 1])
        {
            File.WriteAllBytes(file, whole[..Math.Max(0, length)]);
            Assert.Throws<BadInputException>(() => _table.ReadRows(file));
        }
    }

    [Theory]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(1 << 30, 1 << 30)]
    [InlineData(-1, Columns)]
    [InlineData(1, 0)]
    [InlineData(1, int.MinValue)]
    [InlineData(2, Columns)]
    public void Read_HeaderOfMoreThanTheFileHolds_IsBadInput(int count, int columns)
    {
        var file = Damaged(count, columns);
        Assert.Throws<BadInputException>(() => _table.Shape(file));
        Assert.Throws<BadInputException>(() => _table.ReadRows(file));
        Assert.Throws<BadInputException>(() => ActivationTable.RequireShape(file, 1, Columns));
    }

    [Theory]
    [InlineData(1, Columns - 1)]
    [InlineData(0, Columns)]
    public void RequireShape_OtherNumbersThanTheSets_IsBadInput(int count, int columns) =>
        Assert.Throws<BadInputException>(() => ActivationTable.RequireShape(Damaged(count, columns), 1, Columns));

    [Fact]
    public void ReadBlocks_VectorsOfAnotherLength_IsBadInput() =>
        Assert.Throws<BadInputException>(() => _table.ReadBlocks(Damaged(1, Columns - 1), new FeatureMatrix(2, Columns), 0, () => { }));

    private string Damaged(int count, int columns)
    {
        var (rows, values) = Sample(1);
        var file = _folder.At("part.f16");
        _table.Write(file, rows, values);
        var bytes = File.ReadAllBytes(file);
        BitConverter.TryWriteBytes(bytes.AsSpan(8), count);
        BitConverter.TryWriteBytes(bytes.AsSpan(12), columns);
        File.WriteAllBytes(file, bytes);
        return file;
    }

    private static (List<FeatureRow> Rows, FeatureMatrix Values) Sample(int count)
    {
        var values = new FeatureMatrix(count, Columns);
        for (var i = 0; i < count * Columns; i++)
            values.Data[i] = MathF.Sin(i) * 12;
        return (
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new FeatureRow($"photo {i}.jpg", "cat", "train", i, new string('a', 64), 7, 8, 9, 10)),
            ],
            values
        );
    }
}
