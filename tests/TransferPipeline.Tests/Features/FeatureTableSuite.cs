using System.Security.Cryptography;
using ParquetSharp;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Features;

/// <summary>What every Parquet adapter must do; each adapter that is built runs it.</summary>
public abstract class FeatureTableSuite : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IFeatureTable _table;

    protected FeatureTableSuite() => _table = Create();

    protected abstract IFeatureTable Create();

    /// <summary>The library's name as <c>doctor</c> shows it, before the version.</summary>
    protected abstract string Library { get; }

    /// <summary>False where such a file is refused, in one line.</summary>
    protected virtual bool ReadsListsInPagesOfVersion2 => true;

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Name_HoldsTheVersion() => Assert.Matches($@"^{Library} \d+\.\d+\.\d+", _table.Name);

    [Theory]
    [InlineData(0, 8)]
    [InlineData(1, 1)]
    [InlineData(7, 1280)]
    [InlineData(2048, 3)]
    [InlineData(5000, 96)]
    [InlineData(20, 25088)]
    public void Write_ThenRead_GivesTheSameRowsAndVectors(int rows, int columns)
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(rows, columns);
        _table.Write(file, written, vectors);

        var read = new FeatureMatrix(rows + 2, columns);
        read.Data.AsSpan().Fill(-1);
        Assert.Equal(rows, _table.ReadVectors(file, read, 1));
        Assert.Equal(written, _table.ReadRows(file));
        Assert.Equal(vectors.Data.AsSpan(0, rows * columns), read.Data.AsSpan(columns, rows * columns));
        Assert.All(read.Row(0).ToArray().Concat(read.Row(rows + 1).ToArray()), value => Assert.Equal(-1, value));
    }

    [Fact]
    public void Write_SpecialValues_ComeBackBitForBit()
    {
        var file = _folder.At("part.parquet");
        float[] values = [0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, float.MaxValue, -1e-30f];
        var (rows, _) = Samples.Make(1, 1);
        _table.Write(file, rows, new FeatureMatrix(1, values.Length, values));
        var read = new FeatureMatrix(1, values.Length);
        _table.ReadVectors(file, read, 0);
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), read.Row(0).ToArray().Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Write_Twice_GivesTheSameBytes()
    {
        var (rows, vectors) = Samples.Make(5000, 40);
        var hashes = new[] { "a.parquet", "b.parquet" }
            .Select(name =>
            {
                _table.Write(_folder.At(name), rows, vectors);
                return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_folder.At(name))));
            })
            .ToArray();
        Create().Write(_folder.At("c.parquet"), rows, vectors);

        Assert.Equal(hashes[0], hashes[1]);
        Assert.Equal(hashes[0], Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_folder.At("c.parquet")))));
        Assert.Equal(3, Directory.GetFiles(_folder.Root).Length);
    }

    [Fact]
    public void WriteFailed_ThenRead_GivesTheSameRows()
    {
        var file = _folder.At("failed.parquet");
        FailedRow[] rows = [.. Enumerable.Range(0, 3000).Select(i => new FailedRow($"a/{i}.jpg", "a", "train", "", i, 0, $"no photo {i}"))];
        _table.WriteFailed(file, rows);
        Assert.Equal(rows, _table.ReadFailed(file));
        _table.WriteFailed(file, []);
        Assert.Empty(_table.ReadFailed(file));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    [InlineData(2048)]
    [InlineData(5000)]
    [InlineData(9000)]
    public void ReadBlocks_OfAnySize_GivesAllRowsInOrder(int blockRows)
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(5000, 9);
        _table.Write(file, written, vectors);
        var next = 0;
        var matrix = new FeatureMatrix(blockRows, 9);

        // The file twice: blocks go on from one to the next.
        var filled = _table.ReadBlocks(file, matrix, 0, () => Compare(blockRows));
        filled = _table.ReadBlocks(file, matrix, filled, () => Compare(blockRows));
        Assert.Equal(10_000 % blockRows, filled);
        Compare(filled);
        Assert.Equal(10_000, next);
        Assert.Contains(
            "has 9 values, expected 8",
            Assert.Throws<BadInputException>(() => _table.ReadBlocks(file, new(blockRows, 8), 0, () => { })).Message
        );

        void Compare(int count)
        {
            for (var i = 0; i < count; i++, next++)
                Assert.Equal(vectors.Row(next % 5000), matrix.Row(i));
        }
    }

    [Fact]
    public void ReadLabels_GivesThoseOfTheRows()
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(3000, 2);
        _table.Write(file, written, vectors);
        Assert.Equal(written.Select(r => (r.Label, r.Split)), _table.ReadLabels(file));
    }

    [Theory]
    [InlineData("it's \"quoted\".parquet")]
    [InlineData("日本 – größe.parquet")]
    [InlineData("a[1]*?.parquet")]
    [InlineData("back\\slash.parquet")]
    [InlineData("year=2024/part.parquet")]
    [InlineData("no-extension")]
    [InlineData("part.parquet.tmp-123")]
    public void Write_AnyFileName_IsTakenLiterally(string name)
    {
        var file = _folder.At(name);
        var (written, vectors) = Samples.Make(3, 2);
        _table.Write(file, written, vectors);
        // A pattern would find this one too, or instead.
        _table.Write(_folder.At("a1xx.parquet"), [], vectors);

        Assert.True(File.Exists(file));
        Assert.Equal(written, _table.ReadRows(file));
        Assert.Equal(3, _table.ReadVectors(file, new FeatureMatrix(3, 2), 0));
        Assert.Equal(3, ((IPhotoTable)_table).Describe(file).Rows);
    }

    [Fact]
    public void Read_ByManyThreads_GivesEachItsOwn()
    {
        var parts = Enumerable.Range(0, 8).Select(i => Samples.Make(300 + i, 16, i)).ToArray();
        Parallel.For(
            0,
            8,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i =>
            {
                var file = _folder.At($"{i}.parquet");
                _table.Write(file, parts[i].Rows, parts[i].Vectors);
                var read = new FeatureMatrix(300 + i, 16);
                Assert.Equal(300 + i, _table.ReadVectors(file, read, 0));
                Assert.Equal(parts[i].Vectors.Data, read.Data);
                Assert.Equal(parts[i].Rows, _table.ReadRows(file));
            }
        );
    }

    [Fact]
    public void ReadVectors_OfAnotherLength_NamesFileRowAndLengths()
    {
        var file = _folder.At("part.parquet");
        var (rows, vectors) = Samples.Make(3, 8);
        _table.Write(file, rows, vectors);
        var error = Assert.Throws<BadInputException>(() => _table.ReadVectors(file, new FeatureMatrix(3, 7), 0));
        Assert.StartsWith($"{file}: the vector of row 0 has 8 values, expected 7", error.Message);
        error = Assert.Throws<BadInputException>(() => _table.ReadVectors(file, new FeatureMatrix(3, 8), 1));
        Assert.StartsWith($"{file} holds more rows than the 2 expected", error.Message);
    }

    [Theory]
    [InlineData("number", "column 'path' is int32, expected text")]
    [InlineData("two", "has no column 'split' (it has path, label)")]
    [InlineData("null", "column 'label' has rows without a value")]
    public void ReadRows_OfOtherColumns_SaysWhatIsExpected(string columns, string expected)
    {
        var file = _folder.At("other.parquet");
        TypedParquet.Write(
            file,
            columns switch
            {
                "number" => [TypedParquet.Int32("path", 1)],
                "two" => [TypedParquet.Text("path", "a"), TypedParquet.Text("label", "b")],
                _ =>
                [
                    .. new[] { "path", "split", "image_sha256" }.Select(name => TypedParquet.Text(name, "a")),
                    TypedParquet.Text("label", (string?)null),
                    .. new[] { "view", "width", "height" }.Select(name => TypedParquet.Int32(name, 1)),
                    .. new[] { "bytes", "mtime" }.Select(name => TypedParquet.Int64(name, 1)),
                ],
            }
        );
        var error = Assert.Throws<BadInputException>(() => _table.ReadRows(file));
        Assert.StartsWith(file, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData(Compression.Zstd, false, Encoding.Plain)]
    [InlineData(Compression.Snappy, true, Encoding.Plain)]
    [InlineData(Compression.Uncompressed, true, Encoding.Plain)]
    [InlineData(Compression.Zstd, false, Encoding.ByteStreamSplit)]
    [InlineData(Compression.Gzip, false, Encoding.RleDictionary)]
    [InlineData(Compression.Snappy, true, Encoding.RleDictionary)]
    public void ReadVectors_OfOtherForms_GivesTheSame(Compression compression, bool secondVersion, Encoding encoding)
    {
        var other = _folder.At("other.parquet");
        var (_, vectors) = Samples.Make(5000, 40);
        TypedParquet.Write(
            other,
            [TypedParquet.Lists("vector", Lists(vectors))],
            settings =>
            {
                settings
                    .Compression(compression)
                    .DataPageVersion(secondVersion ? ParquetDataPageVersion.V2 : ParquetDataPageVersion.V1)
                    .DataPagesize(10_000);
                if (encoding != Encoding.RleDictionary)
                    settings.DisableDictionary().Encoding(encoding);
            }
        );
        var (read, block) = (new FeatureMatrix(5000, 40), new FeatureMatrix(6000, 40));
        if (secondVersion && !ReadsListsInPagesOfVersion2)
        {
            Assert.StartsWith(
                $"{other} cannot be read as Parquet",
                Assert.Throws<BadInputException>(() => _table.ReadVectors(other, read, 0)).Message
            );
            return;
        }

        Assert.Equal(5000, _table.ReadVectors(other, read, 0));
        Assert.Equal(5000, _table.ReadBlocks(other, block, 0, () => { }));
        Assert.Equal(vectors.Data, read.Data);
        Assert.Equal(vectors.Data.AsSpan(), block.Data.AsSpan(0, 5000 * 40));
    }

    [Theory]
    [InlineData("float64", "column 'vector' is float64 list, expected float32 list")]
    [InlineData("null in it", "column 'vector' has rows without a value")]
    [InlineData("null", "column 'vector' has rows without a value")]
    [InlineData("empty", "column 'vector' has rows without a value")]
    [InlineData("short first", "the vector of row 0 has 1 values, expected 2")]
    [InlineData("short last", "the vector of row 1 has 1 values, expected 2")]
    [InlineData("long first", "the vector of row 0 has 3 values, expected 2")]
    [InlineData("long last", "the vector of row 1 has 3 values, expected 2")]
    [InlineData("text", "column 'vector' is text, expected float32 list")]
    public void ReadVectors_OfUnusableVectors_SaysWhy(string kind, string expected)
    {
        var file = _folder.At("other.parquet");
        TypedParquet.Write(
            file,
            kind switch
            {
                "float64" => TypedParquet.Lists<double>("vector", [1, 2]),
                "null in it" => TypedParquet.Lists<float>("vector", [1, null]),
                "null" => TypedParquet.Lists<float>("vector", [null]),
                "empty" => TypedParquet.Lists<float>(
                    "vector",
                    [
                        [],
                    ]
                ),
                "short first" => TypedParquet.Lists<float>("vector", [1], [1, 2]),
                "short last" => TypedParquet.Lists<float>("vector", [1, 2], [3]),
                "long first" => TypedParquet.Lists<float>("vector", [1, 2, 3], [1, 2]),
                "long last" => TypedParquet.Lists<float>("vector", [1, 2], [1, 2, 3]),
                _ => TypedParquet.Text("vector", "1 2"),
            }
        );
        var error = Assert.Throws<BadInputException>(() => _table.ReadVectors(file, new FeatureMatrix(2, 2), 0));
        Assert.StartsWith(file, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData("", "there is no such file")]
    [InlineData("folder", "is a folder, expected a Parquet file")]
    [InlineData("empty", "cannot be read as Parquet")]
    [InlineData("text", "cannot be read as Parquet")]
    public void ReadRows_OfNoParquetFile_SaysSo(string kind, string expected)
    {
        var file = _folder.At("x.parquet");
        if (kind == "folder")
            Directory.CreateDirectory(file);
        else if (kind.Length > 0)
            File.WriteAllText(file, kind == "empty" ? "" : "path,label\n1.jpg,a\n");
        var error = Assert.Throws<BadInputException>(() => _table.ReadRows(file));
        Assert.StartsWith(file, error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Read_OfDamagedFiles_FailsAsBadInputAndTheTableGoesOn()
    {
        var good = _folder.At("good.parquet");
        var (rows, vectors) = Samples.Make(300, 24);
        _table.Write(good, rows, vectors);
        var whole = File.ReadAllBytes(good);
        var random = new Random(5);
        var refused = 0;
        for (var i = 0; i < 120; i++)
        {
            var bytes = whole.ToArray();
            if (i % 4 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            else if (i % 4 == 1)
                bytes[^random.Next(1, 700)] ^= (byte)(1 << random.Next(8));
            else
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            var file = _folder.Write("damaged.parquet", bytes);
            try
            {
                _table.ReadRows(file);
                _table.ReadVectors(file, new FeatureMatrix(300, 24), 0);
            }
            catch (TransferException e)
            {
                Assert.StartsWith(file, e.Message);
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        // A flipped bit in a value is a valid file of other values: only the manifest's SHA-256 of the part can find that.
        Assert.InRange(refused, 30, 120);
        Assert.Equal(rows, _table.ReadRows(good));
    }

    private static float?[]?[] Lists(FeatureMatrix vectors) =>
        [.. Enumerable.Range(0, vectors.Rows).Select(i => Array.ConvertAll(vectors.Row(i).ToArray(), value => (float?)value))];

    [Fact]
    public void Write_IntoAMissingFolder_FailsWithOneLine()
    {
        var (rows, vectors) = Samples.Make(3, 2);
        var error = Assert.Throws<JobFailedException>(() => _table.Write(Path.Combine(_folder.Root, "no", "part.parquet"), rows, vectors));
        Assert.Contains("part.parquet cannot be written", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Write_OnAFullDisk_FailsWithOneLine()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("needs /dev/full");
        var (rows, vectors) = Samples.Make(3000, 64);
        var error = Assert.Throws<JobFailedException>(() => _table.Write("/dev/full", rows, vectors));
        Assert.StartsWith("/dev/full cannot be written", error.Message);
        Assert.Contains("No space left on device", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
