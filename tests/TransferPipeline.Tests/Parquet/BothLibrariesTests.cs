using ParquetSharp;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Parquet;

/// <summary>A feature set is one format: what one library wrote, the other reads with equal values and types.</summary>
public sealed class BothLibrariesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ParquetTable[] _tables = [new ParquetSharpTable(), new ParquetNetTable()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 1)]
    [InlineData(3068, 1280)]
    [InlineData(9000, 1280)]
    public void Part_WrittenByOneLibrary_IsReadByTheOther(int rows, int columns)
    {
        var (written, vectors) = Samples.Make(rows, columns);
        foreach (var writer in _tables)
        {
            var file = _folder.At($"{writer.GetType().Name}.parquet");
            writer.Write(file, written, vectors);
            var reader = _tables.Single(t => t != writer);
            AssertReads(reader, file, written, vectors);
            Assert.Equal(writer.Describe(file).Columns, reader.Describe(file).Columns);
        }

        (string, ColumnType)[] expected =
        [
            ("path", ColumnType.Text),
            ("label", ColumnType.Text),
            ("split", ColumnType.Text),
            ("view", ColumnType.Int32),
            ("image_sha256", ColumnType.Text),
            ("bytes", ColumnType.Int64),
            ("mtime", ColumnType.Int64),
            ("width", ColumnType.Int32),
            ("height", ColumnType.Int32),
            ("vector", ColumnType.Float32List),
        ];
        Assert.All(_tables, table => Assert.Equal(expected, _tables[0].Describe(_folder.At($"{table.GetType().Name}.parquet")).Columns));
    }

    public static TheoryData<string, int, bool> Formats =>
        [
            .. from compression in Enum.GetNames<PartCompression>()
            from level in new[] { 1, 3 }
            from split in new[] { false, true }
            select (compression, level, split),
        ];

    /// <summary>Whatever the default is and was, a set stays readable.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Part_OfAnyFormat_IsReadByBoth(string compression, int level, bool byteStreamSplit)
    {
        var (written, vectors) = Samples.Make(500, 64);
        var format = new PartFormat(Enum.Parse<PartCompression>(compression), level, byteStreamSplit);
        foreach (var writer in new ParquetTable[] { new ParquetSharpTable(format), new ParquetNetTable(format) })
        {
            var file = _folder.At("part.parquet");
            writer.Write(file, written, vectors);
            Assert.All(_tables, reader => AssertReads(reader, file, written, vectors));
        }
    }

    /// <summary>Windows neither replaces nor deletes a file that is open.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Part_ThatWasRead_IsClosed(int library)
    {
        var (written, vectors) = Samples.Make(500, 64);
        var file = _folder.At("part.parquet");
        _tables[library].Write(file, written, vectors);
        AssertReads(_tables[library], file, written, vectors);
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain(file, Directory.GetFiles("/proc/self/fd").Select(number => new FileInfo(number).LinkTarget));
        else
            File.Delete(file);
    }

    [Fact]
    public void FailedRows_WrittenByOneLibrary_AreReadByTheOther()
    {
        FailedRow[] rows = [.. Enumerable.Range(0, 50).Select(i => new FailedRow($"a/{i}.jpg", "a", "train", "", i, -i, $"größe {i}"))];
        foreach (var writer in _tables)
        {
            var file = _folder.At($"{writer.GetType().Name}.parquet");
            writer.WriteFailed(file, rows);
            Assert.Equal(rows, _tables.Single(t => t != writer).ReadFailed(file));
        }
    }

    [Fact]
    public void PhotosOfTheDatasetsLibrary_AreTheSameByBoth()
    {
        var file = SharedData.RequireReference("hf-clothing-mini.parquet");
        var (sharp, net) = (_tables[0].Describe(file), _tables[1].Describe(file));
        Assert.Equal([("image.bytes", ColumnType.Binary), ("image.path", ColumnType.Text), ("label", ColumnType.Int64)], sharp.Columns);
        Assert.Equal(sharp.Columns, net.Columns);
        Assert.Equal(sharp.Rows, net.Rows);
        Assert.Equal(sharp.Metadata["huggingface"], net.Metadata["huggingface"]);
        Assert.Equal(_tables[0].ReadIndex(file, "image", "label"), _tables[1].ReadIndex(file, "image", "label"));
        Assert.Equal(_tables[0].ReadPhotos(file, "image", 7, 20), _tables[1].ReadPhotos(file, "image", 7, 20));
    }

    [Fact]
    public void Labels_OfAnyType_AreTheSameTextByBoth()
    {
        var file = _folder.At("labels.parquet");
        var image = TypedParquet.Images("image", ([1], "a"), ([1, 2], null), null);
        TypedColumn[] labels =
        [
            TypedParquet.Text("text", "größe", null, "b"),
            TypedParquet.Int32("int32", -1, null, 7),
            TypedParquet.Int64("int64", long.MinValue, null, 7),
            TypedParquet.UInt8("uint8", 255, null, 7),
            TypedParquet.UInt64("uint64", ulong.MaxValue, null, 7),
            TypedParquet.Boolean("boolean", true, null, false),
            TypedParquet.Float64("float64", 0.1, null, 2),
        ];
        TypedParquet.Write(file, [image, .. labels]);
        string?[][] expected =
        [
            ["größe", "b"],
            ["-1", "7"],
            ["-9223372036854775808", "7"],
            ["255", "7"],
            ["18446744073709551615", "7"],
            ["true", "false"],
            ["0.1", "2"],
        ];
        foreach (var table in _tables)
        {
            for (var i = 0; i < labels.Length; i++)
            {
                var rows = table.ReadIndex(file, "image", labels[i].Node.Name);
                Assert.Equal([expected[i][0], null, expected[i][1]], rows.Select(r => r.Label));
                Assert.Equal([(1L, "a"), (2L, null), (0L, (string?)null)], rows.Select(r => (r.Bytes, r.Path)));
            }

            Assert.Equal(
                [
                    [1],
                    [1, 2],
                    [],
                ],
                table.ReadPhotos(file, "image", 0, 3)
            );
            Assert.Equal(
                [
                    [1, 2],
                    [],
                ],
                table.ReadPhotos(file, "image", 1, 2)
            );
        }
    }

    /// <summary>One window of photos out of many row groups and pages.</summary>
    [Fact]
    public void ReadPhotos_AcrossRowGroups_GivesTheRowsAskedFor()
    {
        var file = _folder.At("photos.parquet");
        var images = TypedParquet.Images(
            "image",
            [.. Enumerable.Range(0, 300).Select(i => ((byte[]?, string?)?)(i % 7 == 3 ? null : [.. BitConverter.GetBytes(i), 0], null))]
        );
        TypedParquet.Write(file, [images], settings => settings.DataPagesize(256).DisableDictionary(), repeat: 3);
        foreach (var table in _tables)
        {
            foreach (var (first, count) in new[] { (0, 900), (1, 1), (250, 400), (299, 2), (899, 1), (600, 300) })
            {
                byte[][] expected =
                [
                    .. Enumerable
                        .Range(first, count)
                        .Select(i => i % 300)
                        .Select(i => i % 7 == 3 ? [] : (byte[])[.. BitConverter.GetBytes(i), 0]),
                ];
                Assert.Equal(expected, table.ReadPhotos(file, "image", first, count));
            }
        }
    }

    private static void AssertReads(ParquetTable reader, string file, List<FeatureRow> written, FeatureMatrix vectors)
    {
        var read = new FeatureMatrix(written.Count, vectors.Columns);
        Assert.Equal(written.Count, reader.ReadVectors(file, read, 0));
        Assert.Equal(written, reader.ReadRows(file));
        Assert.True(
            vectors.Data.AsSpan(0, written.Count * vectors.Columns).SequenceEqual(read.Data.AsSpan(0, written.Count * vectors.Columns))
        );
    }
}
