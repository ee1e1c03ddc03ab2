using System.Text.Json.Nodes;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Features;

/// <summary>A set on disk: what is reported of damage, and what others can read.</summary>
public sealed class FeatureSetTests : IClassFixture<FeatureSetTests.ExtractedSet>
{
    private readonly TestExtraction _extraction;

    public FeatureSetTests(ExtractedSet set)
    {
        _extraction = set.TestExtraction;
        if (!Directory.Exists(_extraction.Set))
            _extraction.Run();
    }

    [Theory]
    [InlineData(2, 1024)]
    [InlineData(1280, 1024)]
    [InlineData(25088, 167)]
    [InlineData(5_000_000, 1)]
    public void RowsPerPart_LongVectors_KeepPartsBelow16Megabytes(int dimension, int rows) =>
#if DEBUG
        Assert.Equal(Math.Min(rows, 16), ExtractionSizes.RowsPerPart(dimension));
#else
        Assert.Equal(rows, ExtractionSizes.RowsPerPart(dimension));
#endif

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Verify_ValueThatIsNoNumber_NamesThePhoto(float value)
    {
        // Written by a careless tool: the manifest fits, only the values do not.
        var folder = SyntheticFeatureSet.Write(
            _extraction.At("synthetic"),
            SyntheticFeatureSet.Photos(2, ["a", "b"], "train"),
            x => x.Row(2)[4] = value
        );
        Assert.Equal(
            $"part-00000.parquet: the vector of train/b/0002.jpg holds {value}",
            Assert.Single(FeatureSet.Open(folder, _extraction.Table).Verify().Problems)
        );
    }

    [Theory]
    [InlineData("0+3", "two rows stand at position 2")]
    [InlineData("0+2", "the order of part-00000.parquet is not that of 3 rows")]
    [InlineData("0+2,7", "the order of part-00000.parquet is not that of 3 rows")]
    [InlineData("0+9", "the order of part-00000.parquet is not that of 3 rows")]
    public void Verify_OrderThatIsNone_NamesTheManifest(string order, string problem)
    {
        var manifest = new FeatureManifest
        {
            Recipe = _extraction.Job(_extraction.OpenDataset()).RecipeOf(0),
            Dimension = 4,
            Classes = ["a"],
            Parts = [new("part-00000.parquet", 3, 1, "", order), new("part-00001.parquet", 1, 1, "", "2+1")],
        };
        var error = Assert.Throws<BadInputException>(() => new FeatureSet(_extraction.At("none"), manifest, _extraction.Table).Verify());
        Assert.Contains("manifest.json is damaged: " + problem, error.Message);
    }

    [Fact]
    public void Load_MoreValuesThanAnArrayHolds_SaysSo()
    {
        using var folder = new TempFolder();
        var row = new FeatureRow("a.jpg", "a", "train", 0, new string('0', 64), 1, 1, 1, 1);
        const int Rows = 50_000;
        const int Dimension = 50_000;
        var manifest = new FeatureManifest
        {
            Recipe = _extraction.Job(_extraction.OpenDataset()).RecipeOf(0),
            Dimension = Dimension,
            Classes = ["a"],
            Parts = [new("part-00000.parquet", Rows, 1, "", $"0+{Rows}")],
        };
        folder.Write("part-00000.parquet", "x");
        var set = new FeatureSet(folder.Root, manifest, new ManyRows([.. Enumerable.Repeat(row, Rows)]));
        var error = Assert.Throws<JobFailedException>(() => set.Load(verify: false));
        Assert.Contains("50,000 vectors of 50,000 values are more than a matrix in memory holds", error.Message);
    }

    [Theory]
    [InlineData("sets/one", "sets/one-")]
    [InlineData("sets/one/", "sets/one-")]
    [InlineData("/sets/one/.", "/sets/one-")]
    [InlineData("/sets/one/two/..", "/sets/one-")]
    public void Beside_AnyWayToNameAFolder_IsBesideIt(string folder, string expected)
    {
        var recipe = _extraction.Job(_extraction.OpenDataset()).RecipeOf(0);
        Assert.Equal(expected + recipe.Hash()[..8], FeatureSets.Beside(folder, recipe));
    }

    [Fact]
    public void Beside_TheWorkingFolder_IsBesideIt()
    {
        var recipe = _extraction.Job(_extraction.OpenDataset()).RecipeOf(0);
        Assert.Equal($"{Environment.CurrentDirectory}-{recipe.Hash()[..8]}", FeatureSets.Beside(".", recipe));
    }

    [Fact]
    public void Open_OfWhatIsNoSet_SaysWhatIsMissing()
    {
        Assert.Contains(
            "there is no folder",
            Assert.Throws<BadInputException>(() => FeatureSet.Open(_extraction.At("nowhere"), _extraction.Table)).Message,
            StringComparison.Ordinal
        );
        var error = Assert.Throws<BadInputException>(() => FeatureSet.Open(_extraction.Photos, _extraction.Table));
        Assert.Contains("is not a feature set: it has no manifest.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAManifestWithAByteOrderMark_ReadsIt()
    {
        var copy = Copy("marked");
        var file = Path.Combine(copy, "manifest.json");
        File.WriteAllText(file, File.ReadAllText(file), new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal(0xEF, File.ReadAllBytes(file)[0]);
        Assert.Empty(FeatureSet.Open(copy, _extraction.Table).Verify().Problems);
    }

    [Fact]
    public void Open_OfANewerVersion_SaysSo()
    {
        var copy = Copy("newer");
        Edit(copy, json => json["format"] = 2);
        var error = Assert.Throws<BadInputException>(() => FeatureSet.Open(copy, _extraction.Table));
        Assert.Contains("has format 2, this program reads up to 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"format\": 1 }")]
    [InlineData("{ \"format\": \"one\" }")]
    public void Open_OfADamagedManifest_IsBadInput(string text)
    {
        var copy = Copy("damaged");
        File.WriteAllText(Path.Combine(copy, "manifest.json"), text);
        var error = Assert.Throws<BadInputException>(() => FeatureSet.Open(copy, _extraction.Table));
        Assert.Contains("manifest.json", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("0+1,1+1,2+0")]
    [InlineData("0+3,3+1")]
    [InlineData("0+2,1+1")]
    [InlineData("zero")]
    public void Load_WithADamagedOrder_IsBadInput(string order)
    {
        var copy = Copy("order");
        Edit(copy, json => json["parts"]![0]!["order"] = order);
        var error = Assert.Throws<BadInputException>(() => FeatureSet.Open(copy, _extraction.Table).Load());
        Assert.Contains("is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_WithAFlippedByte_NamesThePart()
    {
        var copy = Copy("flipped");
        var part = Path.Combine(copy, "part-00001.parquet");
        var bytes = File.ReadAllBytes(part);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(part, bytes);
        var set = FeatureSet.Open(copy, _extraction.Table);
        Assert.Equal("part-00001.parquet is damaged: its SHA-256 is not the one in the manifest", Assert.Single(set.Verify().Problems));
        Assert.Contains(
            "part-00001.parquet is damaged",
            Assert.Throws<BadInputException>(() => set.Load()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Verify_WithAMissingOrShortPart_NamesIt()
    {
        var copy = Copy("short");
        File.Delete(Path.Combine(copy, "part-00000.parquet"));
        using (var stream = File.OpenWrite(Path.Combine(copy, "part-00001.parquet")))
            stream.SetLength(1000);
        var problems = FeatureSet.Open(copy, _extraction.Table).Verify().Problems;
        Assert.Equal(2, problems.Count);
        Assert.Equal("part-00000.parquet is missing", problems[0]);
        Assert.StartsWith("part-00001.parquet has 1000 bytes, the manifest says ", problems[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_OfAnUntouchedSet_FindsNothing()
    {
        var check = _extraction.Open().Verify();
        Assert.Equal((3, 8), (check.Parts, check.Rows));
        Assert.Empty(check.Problems);
    }

    [Fact]
    public void Load_OfOneSplit_GivesItsRows()
    {
        var (all, validation) = (_extraction.Load(), _extraction.Open().Load("validation"));
        Assert.Equal(all.Rows.Where(r => r.Split == "validation"), validation.Rows);
        for (var i = 0; i < 4; i++)
            Assert.Equal(all.X.Row(4 + i), validation.X.Row(i));
        Assert.Equal([0, 0, 1, 1], validation.Y);
    }

    [Fact]
    public void Export_Npy_IsReadByNumPysRules()
    {
        var data = _extraction.Load();
        var files = _extraction.Open().Export(ExportFormat.Npy, _extraction.At("npy", "out"));
        var (rows, columns, values) = Npy.Read(files[0]);
        Assert.Equal((8, 1280), (rows, columns));
        Assert.Equal(data.X.Data.Take(8 * 1280), values);
        var lines = File.ReadAllLines(files[1]);
        Assert.Equal("path,label,split", lines[0]);
        Assert.Equal(data.Rows.Select(r => $"{r.Path},{r.Label},{r.Split}"), lines.Skip(1));
    }

    [Fact]
    public void Export_CsvAndParquet_HoldTheSameValues()
    {
        var data = _extraction.Load();
        // A place that cannot be written leaves nothing half done.
        var taken = Directory.CreateDirectory(_extraction.At("taken", "out.npy")).FullName;
        Assert.Throws<IOException>(() => _extraction.Open().Export(ExportFormat.Npy, _extraction.At("taken", "out")));
        Assert.Equal([taken], Directory.GetFileSystemEntries(_extraction.At("taken")));
        // Nor new vectors beside the rows of an earlier export.
        var earlier = _extraction.Open().Export(ExportFormat.Npy, _extraction.At("earlier", "out"));
        File.Delete(earlier[1]);
        Directory.CreateDirectory(OutputTarget.OwnTemporary(earlier[1]));
        File.WriteAllText(earlier[0], "earlier");
        Assert.Throws<UnauthorizedAccessException>(() => _extraction.Open().Export(ExportFormat.Npy, _extraction.At("earlier", "out")));
        Assert.Equal("earlier", File.ReadAllText(earlier[0]));

        var csv = File.ReadAllLines(_extraction.Open().Export(ExportFormat.Csv, _extraction.At("csv", "out"))[0]);
        Assert.Equal(3 + 1280, csv[0].Split(',').Length);
        Assert.Equal(
            data.X.Row(5).ToArray(),
            csv[6].Split(',').Skip(3).Select(v => float.Parse(v, System.Globalization.CultureInfo.InvariantCulture))
        );
        var parquet = _extraction.Open().Export(ExportFormat.Parquet, _extraction.At("parquet", "out"))[0];
        Assert.Equal(data.Rows, _extraction.Table.ReadRows(parquet));
        var vectors = new FeatureMatrix(8, 1280);
        _extraction.Table.ReadVectors(parquet, vectors, 0);
        Assert.Equal(data.X.Data.Take(8 * 1280), vectors.Data.Take(8 * 1280));
    }

    [Theory]
    [InlineData(ExportFormat.Parquet, "part-00000")]
    [InlineData(ExportFormat.Parquet, "failed")]
    public void Export_OverAFileOfAFeatureSet_IsRefused(ExportFormat format, string name)
    {
        var prefix = Path.Combine(_extraction.Set, name);
        var error = Assert.Throws<UsageException>(() => _extraction.Open().Export(format, prefix));
        Assert.Equal($"{prefix}.parquet is the name of a file of the feature set in {_extraction.Set}: choose another name", error.Message);
        Assert.Empty(_extraction.Open().Verify().Problems);
        // Other names are a user's own, which no run removes.
        Assert.True(File.Exists(_extraction.Open().Export(format, prefix + "-copy")[0]));
    }

    [Fact]
    public void Export_QuotesNamesWithCommasAndQuotes()
    {
        using var extraction = new TestExtraction(1);
        var folder = Path.Combine(extraction.Photos, "train", "dress");
        File.Move(Directory.GetFiles(folder)[0], Path.Combine(folder, "a \"b\", c.jpg"));
        extraction.Run();
        var csv = extraction.Open().Export(ExportFormat.Npy, extraction.At("out"))[1];
        Assert.Equal("\"train/dress/a \"\"b\"\", c.jpg\",dress,train", File.ReadAllLines(csv)[1]);
    }

    [Fact]
    public void List_FindsSetsBelowAFolder_AndTellsOfDamagedOnes()
    {
        var copy = Copy("listed");
        var damaged = Copy("listed-damaged");
        File.WriteAllText(Path.Combine(damaged, "manifest.json"), "{");
        var messages = new List<string>();
        var sets = FeatureSet.List(Path.GetDirectoryName(copy)!, _extraction.Table, messages.Add);
        Assert.Contains(copy, sets.Select(s => s.Folder));
        Assert.DoesNotContain(damaged, sets.Select(s => s.Folder));
        Assert.Contains(messages, m => m.Contains("listed-damaged", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_OnASetWithALostPart_ComputesItAgain()
    {
        using var extraction = new TestExtraction(2);
        extraction.Run();
        var data = extraction.Load();
        File.Delete(Path.Combine(extraction.Set, "part-00001.parquet"));
        Assert.Equal(3, extraction.Run().Computed);
        Assert.Contains("part-00001.parquet is missing", Assert.Single(extraction.Messages), StringComparison.Ordinal);
        TestExtraction.AssertSame(data, extraction.Load());
        Assert.Empty(extraction.Open().Verify().Problems);
    }

    private string Copy(string name)
    {
        var copy = _extraction.At("copies", name);
        if (Directory.Exists(copy))
            Directory.Delete(copy, true);
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(_extraction.Set))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private static void Edit(string folder, Action<JsonNode> edit)
    {
        var file = Path.Combine(folder, "manifest.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        edit(json);
        File.WriteAllText(file, json.ToJsonString());
    }

    public sealed class ExtractedSet : IDisposable
    {
        internal TestExtraction TestExtraction { get; } = new(2);

        public void Dispose() => TestExtraction.Dispose();
    }

    /// <summary>A table that says it has many rows and has no vectors.</summary>
    private sealed class ManyRows(List<FeatureRow> rows) : IFeatureTable
    {
        public string Name => "made up";

        public List<FeatureRow> ReadRows(string file) => rows;

        public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors) => throw new InvalidOperationException();

        public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) => throw new InvalidOperationException();

        public List<(string Label, string Split)> ReadLabels(string file) => throw new InvalidOperationException();

        public List<FailedRow> ReadFailed(string file) => throw new InvalidOperationException();

        public int ReadVectors(string file, FeatureMatrix destination, int firstRow) => throw new InvalidOperationException();

        public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full) => throw new InvalidOperationException();
    }
}
