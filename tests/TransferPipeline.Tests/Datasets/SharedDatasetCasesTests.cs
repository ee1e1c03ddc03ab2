using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>The datasets among the shared cases: each is read with a note, or refused in one line.</summary>
public sealed class SharedDatasetCasesTests
{
    [Theory]
    [InlineData("cp1252.csv", "images", "is not UTF-8")]
    [InlineData("leading-zeros-lost.csv", "zeros", "'0' is named and '000.jpg' is there: the zeros in front were lost")]
    public void Csv_ThatWouldLoseLabelsOrPhotos_IsRefused(string file, string folder, string expected) =>
        AssertRefused(Options("csv", file) with { Folder = SharedData.Require("cases", "csv", folder) }, expected);

    [Theory]
    [InlineData("trailing-commas.csv", null)]
    [InlineData("index-column.csv", "columns 'id', 'filename' may hold photo names; 'filename' is taken")]
    public void Csv_OfASpreadsheet_IsReadWhole(string file, string? note)
    {
        using var data = DatasetReader.Open(Options("csv", file) with { Folder = SharedData.Require("cases", "csv", "images") });
        Assert.Equal(16, data.Entries.Count);
        Assert.Equal(["dress", "hat"], data.Classes);
        if (note is null)
            Assert.Empty(data.Problems);
        else
            Assert.Contains(note, Assert.Single(data.Problems).Problem);
    }

    [Fact]
    public void WebDataset_ByItsMembers_IsRead()
    {
        using var data = DatasetReader.Open(Options("data-not-recognized", "train-000000.tar"));
        Assert.Equal("webdataset, one tar file", data.Form);
        Assert.Equal(["0", "1"], data.Classes);
        Assert.Equal(8, data.Entries.Count);
        Assert.Equal(2073, data.Bytes(0).Length);
    }

    [Fact]
    public void CifarInPython_ThatIsNotWhole_NamesBothVersions() =>
        AssertRefused(
            Options("data-not-recognized", "cifar-10-batches-py"),
            "Python version of CIFAR-10 (a pickle)",
            "or the binary version (cifar-10-binary.tar.gz"
        );

    [Fact]
    public void Folders_WithThumbnailsOfANas_HaveTwelvePhotos()
    {
        using var data = DatasetReader.Open(Options("folders-copies-as-photos", "f05-synology"));
        Assert.Equal(12, data.Entries.Count);
        Assert.Contains(data.Problems, p => p.Problem.StartsWith("24 photos in folders '@eaDir' are ignored", StringComparison.Ordinal));
    }

    [Fact]
    public void Folders_WhoseNamesAreInTwoUnicodeForms_AreOneClass()
    {
        using var data = DatasetReader.Open(Options("folders-names-alike", "f01-nfc-nfd-classes"));
        Assert.Equal(["caf\u00e9", "tea"], data.Classes);
        Assert.Equal(9, data.Entries.Count(e => e.Label == "caf\u00e9"));
        Assert.Contains(data.Problems, p => p.Path == "caf\u00e9" && p.Problem.Contains("two Unicode forms"));
    }

    [Theory]
    [InlineData("f02-intel-nested", 27, 18, "split folders with class folders inside")]
    [InlineData("f04-wrapper", 18, 12, "split folders with class folders inside, in the folder my-photos")]
    public void Folders_InsideOthers_HaveTheirSplits(string folder, int photos, int trained, string form)
    {
        using var data = DatasetReader.Open(Options("folders-nested-splits", folder));
        Assert.Equal(form, data.Form);
        Assert.Equal(photos, data.Entries.Count);
        Assert.Equal(trained, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.DoesNotContain(data.Classes, name => name.StartsWith("seg", StringComparison.Ordinal));
        Assert.True(data.Bytes(0).Length > 1000);
    }

    [Theory]
    [InlineData("sparse-gnu.tar", "such as sparse files; pack the photos again without --sparse")]
    [InlineData("sparse-pax-1.0.tar", "holds 'dress/big.bmp' as a sparse file")]
    [InlineData("xz-called.tar", "is an xz archive: unpack it with xz -d")]
    public void Tar_InAFormThatIsNotRead_SaysWhich(string file, string expected) => AssertRefused(Options("tar-forms", file), expected);

    [Fact]
    public void Tar_WithAnotherBehindIt_IsReadAndNoted()
    {
        using var data = DatasetReader.Open(Options("tar-forms", "concatenated.tar"));
        Assert.Equal(8, data.Entries.Count);
        Assert.Contains(
            data.Problems,
            p => p.Path == "concatenated.tar" && p.Problem.StartsWith("another archive follows the first one", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("parquet-forms", "01-plain-binary.parquet")]
    [InlineData("parquet-forms", "13-column-called-image.bytes.parquet")]
    [InlineData("parquet-labels", "05-float-labels.parquet")]
    public void Parquet_InAnotherForm_IsRead(string kind, string file)
    {
        using var data = DatasetReader.Open(Options(kind, file), TestTable.Photos());
        Assert.Equal(["dress", "hat", "longsleeve"], data.Classes);
        Assert.Equal(file.StartsWith("05", StringComparison.Ordinal) ? 17 : 18, data.Entries.Count);
        Assert.Equal([0xFF, 0xD8], data.Bytes(0)[..2]);
    }

    [Theory]
    [InlineData("04-multi-label.parquet", "column 'labels' is list, expected text or a number per row")]
    [InlineData("09-repeated-names.parquet", "the name 'same' stands for several classes")]
    public void Parquet_WhoseLabelsWouldBeMerged_IsRefused(string file, string expected) =>
        AssertRefused(Options("parquet-labels", file), expected);

    [Fact]
    public void Parquet_WithALabelOutOfRange_NamesTheRowAndTheNumber()
    {
        using var data = DatasetReader.Open(Options("parquet-labels", "10-label-out-of-range.parquet"), TestTable.Photos());
        var problem = Assert.Single(data.Problems);
        Assert.Equal("10-label-out-of-range.parquet#3", problem.Path);
        Assert.Matches("left out: label [0-9]+ has no name, there are 3 names", problem.Problem);
    }

    [Fact]
    public void Parquet_WithMissingShards_NamesThem()
    {
        using var data = DatasetReader.Open(Options("parquet-shards", "20-missing-shards"), TestTable.Photos());
        Assert.Contains(
            data.Problems,
            p =>
                p.Problem.StartsWith("3 files of its numbered series are not there: 00001, 00002, 00004 of 00005", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Parquet_OfTheConvertBranch_HasItsSplits()
    {
        using var data = DatasetReader.Open(Options("parquet-shards", "21-convert-branch"), TestTable.Photos());
        Assert.Equal(16, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.Equal(2, data.Entries.Count(e => e.Split == Splits.Test));
    }

    private static DatasetOptions Options(params string[] parts) => new() { Path = SharedData.Require(["cases", .. parts]) };

    private static void AssertRefused(DatasetOptions options, params string[] expected)
    {
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(options, TestTable.Photos()));
        Assert.StartsWith(options.Path, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.All(expected, text => Assert.Contains(text, error.Message));
    }
}
