using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class CsvDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_LabelsOfRealPhotos_GivesTheFolderFormsPhotos()
    {
        var root = Path.Combine(SharedData.Repository, "samples", "clothing");
        using var folder = DatasetReader.Open(new DatasetOptions { Path = root });
        var lines = folder.Entries.Select(e => $"{e.Path[..^4]},{e.Label},{e.Split}");
        var csv = _folder.Write("labels.csv", "id,breed,split\n" + string.Join('\n', lines) + "\n");
        using var data = DatasetReader.Open(
            new DatasetOptions
            {
                Path = csv,
                Folder = root,
                Extension = "jpg",
            }
        );

        Assert.Equal(folder.Entries, data.Entries);
        Assert.Equal(folder.Classes, data.Classes);
        Assert.Empty(data.Problems);
        Assert.Equal(folder.Stamp(7), data.Stamp(7));
        Assert.Equal(folder.Bytes(7), data.Bytes(7));
    }

    /// <summary>
    /// A link's own size and time stay when the photo changes, and are not those by which an extraction knows the photo again.
    /// </summary>
    [Fact]
    public void Stamp_OfALink_IsThatOfThePhoto()
    {
        var photo = _folder.Write("real/p.jpg", "a photo");
        File.SetLastWriteTimeUtc(photo, DateTime.UnixEpoch.AddDays(9000));
        File.CreateSymbolicLink(_folder.At("one.jpg"), "real/p.jpg");
        File.CreateSymbolicLink(_folder.At("gone.jpg"), "real/nothing.jpg");
        File.CreateSymbolicLink(_folder.At("loop.jpg"), "loop.jpg");
        var csv = _folder.Write(
            "labels.csv",
            "file,label,split\none.jpg,a,train\nreal/p.jpg,a,train\ngone.jpg,a,train\nloop.jpg,a,train\n"
        );
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });
        Assert.Equal(["one.jpg", "real/p.jpg"], data.Entries.Select(e => e.Path));
        Assert.Equal(new(7, 9000L * 86_400_000_000_000), data.Stamp(0));
        Assert.Equal(data.Stamp(1), data.Stamp(0));
    }

    [Fact]
    public void Open_WithoutSplitColumn_SplitsTenPercentOfEachClass()
    {
        var lines = Enumerable.Range(0, 60).Select(i => $"p{i},{(i % 3 == 0 ? "a" : "b")}").ToList();
        foreach (var line in lines)
            _folder.Write($"train/{line.Split(',')[0]}.jpg", "x");
        var csv = _folder.Write("labels.csv", "id,breed\n" + string.Join('\n', lines));
        using var data = DatasetReader.Open(
            new DatasetOptions
            {
                Path = csv,
                Folder = _folder.At("train"),
                Extension = ".jpg",
                ValidationShare = 0.1,
            }
        );

        Assert.Equal(lines.Select(line => line.Split(',')[0] + ".jpg"), data.Entries.Select(e => e.Path));
        Assert.Equal(2, data.Entries.Count(e => e is { Label: "a", Split: Splits.Validation }));
        Assert.Equal(4, data.Entries.Count(e => e is { Label: "b", Split: Splits.Validation }));
    }

    [Fact]
    public void Open_ColumnsNamed_AreTakenWhereverTheyStand()
    {
        _folder.Write("one.jpg", "x");
        _folder.Write("two.jpg", "y");
        var csv = _folder.Write("labels.csv", "part,photo,what,file\nval,9,a,one.jpg\ntrain,9,b,two.jpg\n");
        using var data = DatasetReader.Open(
            new DatasetOptions
            {
                Path = csv,
                PathColumn = "file",
                LabelColumn = "what",
                SplitColumn = "part",
            }
        );
        Assert.Equal([new("one.jpg", "a", Splits.Validation), new("two.jpg", "b", Splits.Train)], data.Entries);

        csv = _folder.Write("first.csv", "file,what,split\none.jpg,a,train\n");
        using var first = DatasetReader.Open(
            new DatasetOptions
            {
                Path = csv,
                PathColumn = "file",
                LabelColumn = "what",
            }
        );
        Assert.Equal([new("one.jpg", "a", Splits.Train)], first.Entries);
    }

    [Theory]
    [InlineData(",")]
    [InlineData(";")]
    [InlineData("\t")]
    public void Open_ByteOrderMarkQuotesAndCommas_AreUnderstood(string separator)
    {
        // Windows has no files with quotation marks in their names.
        var quoted = OperatingSystem.IsWindows() ? "with two words.jpg" : "with \"double\" quotes.jpg";
        string[] names = ["plain.jpg", "with, comma; and 'quote'.jpg", quoted, "日本 hüte.jpg"];
        foreach (var name in names)
            _folder.Write(name, "x");
        var text =
            $"file{separator}label\r\n"
            + string.Concat(names.Select((name, i) => $"\"{name.Replace("\"", "\"\"")}\"{separator}\"class, {i % 2}\"\r\n"));
        var csv = _folder.Write("labels.csv", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)]);
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });

        Assert.Equal(names, data.Entries.Select(e => e.Path));
        Assert.Equal(["class, 0", "class, 1"], data.Classes);
    }

    [Fact]
    public void Open_MissingFilesRepeatedAndUnlabelledLines_AreListed()
    {
        _folder.Write("1.jpg", "x");
        _folder.Write("2.jpg", "x");
        var csv = _folder.Write("labels.csv", "path,label\n1.jpg,a\n2.jpg,b\n3.jpg,b\n./1.jpg,a\n4.jpg,\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });

        Assert.Equal(["1.jpg", "2.jpg"], data.Entries.Select(e => e.Path));
        Assert.Contains(data.Problems, p => p.Path == "3.jpg" && p.Problem.StartsWith("left out: there is no such file in"));
        Assert.Contains(data.Problems, p => p is { Path: "1.jpg", Problem: "named twice; the second line is ignored" });
        Assert.Contains(data.Problems, p => p is { Path: "4.jpg", Problem: "left out: the line has no label" });
    }

    [Theory]
    [InlineData(@"C:\photos\1.jpg")]
    [InlineData(@"d:/1.jpg")]
    [InlineData(@"\\server\photos\1.jpg")]
    public void Open_PathsOfWindowsElsewhere_AreCalledSo(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has such paths");
        _folder.Write("1.jpg", "x");
        var csv = _folder.Write("labels.csv", $"path,label\n{name},a\n");
        Assert.Equal(
            $"{csv}, line 2: '{name}' is a whole path of Windows; expected names of photos inside {_folder.Root} ('1.jpg' is there: take "
                + "off what stands before it)",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv })).Message
        );
    }

    [Fact]
    public void Open_EmptyPhoto_IsNamed()
    {
        _folder.Write("1.jpg", "x");
        _folder.Write("2.jpg", "");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Write("labels.csv", "path,label\n1.jpg,a\n2.jpg,b\n") });
        Assert.Equal(2, data.Entries.Count);
        Assert.Contains("2.jpg: empty, or a pipe or device", data.Problems.Select(p => p.ToString()));
    }

    [Fact]
    public void Open_LinkToNothing_IsCalledSo()
    {
        _folder.Write("1.jpg", "x");
        File.CreateSymbolicLink(_folder.At("2.jpg"), "/mnt/gone/2.jpg");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Write("labels.csv", "path,label\n1.jpg,a\n2.jpg,b\n") });
        Assert.Contains(
            data.Problems,
            p => p.Path == "2.jpg" && p.Problem.EndsWith(" (a symbolic link leads to '/mnt/gone/2.jpg', which is not there)")
        );
    }

    [Theory]
    [InlineData("label_num_to_disease_map.json", true)]
    [InlineData("cars_meta.mat", true)]
    [InlineData("classes.txt", true)]
    [InlineData("cat_to_name.json", true)]
    [InlineData("label_map.pbtxt", true)]
    [InlineData("imagenet_class_index.json", true)]
    [InlineData("labels_2.csv", false)]
    [InlineData("notes.txt", false)]
    [InlineData("category.jpg", false)]
    public void Open_NumbersAndAFileThatMayHoldNames_NamesTheFile(string file, bool isNamed)
    {
        _folder.Write("in/1/1.jpg", "x");
        _folder.Write("in/2/2.jpg", "y");
        _folder.Write("in/" + file, "x");
        _folder.Write("in/labels.csv", "path,label\n1/1.jpg,1\n2/2.jpg,2\n");
        _folder.Write("in/names.csv", "path,label\n1/1.jpg,cat\n2/2.jpg,dog\n");
        foreach (var path in new[] { "in", "in/labels.csv" })
        {
            using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At(path) });
            Assert.Equal(isNamed, data.Problems.Any(p => p.Path == file && p.Problem.StartsWith("it may hold the names of the classes")));
        }

        _folder.Write("train/1/1.jpg", "x");
        _folder.Write("train/2/2.jpg", "x");
        _folder.Write(file, "x");
        using (var split = DatasetReader.Open(new DatasetOptions { Path = _folder.At("train") + Path.DirectorySeparatorChar }))
            Assert.Equal(isNamed, split.Problems.Any(p => p.Path == file));
        using var named = DatasetReader.Open(new DatasetOptions { Path = _folder.At("in/names.csv") });
        Assert.DoesNotContain(named.Problems, p => p.Problem.StartsWith("it may hold"));
    }

    /// <summary>A table with many missing photos must not list a large folder for each.</summary>
    [Fact]
    public void NearFiles_ListAFolderOnce()
    {
        _folder.Write("in/0007.jpg", "x");
        _folder.Write("in/A.jpg", "x");
        var near = new NearFiles(_folder.Root);
        Assert.Equal(" (its name is there in another Unicode form or case: A.jpg)", near.OtherForm("in/a.jpg"));
        _folder.Write("in/B.jpg", "x");
        _folder.Write("in/0008.jpg", "x");
        Assert.Empty(near.OtherForm("in/b.jpg"));
        near.RefuseLostZeros(Line("in/8.jpg"));
        Assert.Contains(
            "'in/7.jpg' is named and '0007.jpg' is there",
            Assert.Throws<BadInputException>(() => near.RefuseLostZeros(Line("in/7.jpg"))).Message
        );

        static TableLine Line(string name) => new("labels.csv, line 2", 2, name, name, "a", "");
    }

    [Theory]
    [InlineData("path,label\n1.jpg,a\n\n1.jpg,b\n", "line 4: '1.jpg' is 'b' here and 'a' in line 2")]
    [InlineData("path,label\n../out.jpg,a\n", "line 2: '../out.jpg' leads out of")]
    [InlineData("path,label\n/etc/hostname,a\n", "line 2: '/etc/hostname' leads out of")]
    [InlineData("path,label\na/../../out.jpg,a\n", "leads out of")]
    [InlineData("path,label\n/data/upload/1.jpg,a\n", "('1.jpg' is there: take off what stands before it)")]
    [InlineData("path,label\nhttps://host/x/1.jpg,a\n", "line 2: 'https://host/x/1.jpg' is the address of a photo, which is not fetched")]
    [InlineData("path,label\ns3://b/2.jpg,a\n", "line 2: 's3://b/2.jpg' is the address of a photo, which is not fetched")]
    [InlineData("id,label,image\n1,a,/data/2.jpg\n", "line 2: '/data/2.jpg' leads out of")]
    [InlineData("path,label\n1.jpg,a,b\n", "line 2: 3 fields, expected 2")]
    [InlineData("path,label\n\"1.jpg,a\n", "line 2: not valid CSV")]
    [InlineData("path,label\n,a\n", "line 2: the photo's name is empty")]
    [InlineData("path,label,split\n1.jpg,a,vall\n", "line 2: 'vall' is no split; did you mean 'val'?")]
    [InlineData("x,y\n1.jpg,a\n", "has no column of photo names (it has x, y)")]
    [InlineData("path,y\n1.jpg,a\n", "has no column of labels (it has path, y)")]
    [InlineData(
        "image,MEL,NV,BCC,DF\n1,0.0,1.0,0.0,0.0\n2,1.0,0.0,0.0,0.0\n",
        "has a column for each class (MEL, NV, BCC, ...) with 1 for the photo's own, expected one column with the class, such as 'label'"
    )]
    [InlineData("image,cat,dog\n1,0,1\n2,1,1\n", "has no column of labels (it has image, cat, dog)")]
    [InlineData("path,label\n", "names no photo with a label")]
    [InlineData("# by hand\npath,label\n1.jpg,a\n", "line 1: a comment ('# by hand'), expected the line of column names")]
    [InlineData("<!doctype html>\n<p>404</p>\n", "is a web page: fetch the file itself")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, not the file itself")]
    [InlineData("PK\u0003\u0004 a spreadsheet", "is a zip archive")]
    [InlineData(
        "PK\u0003\u0004..........................[Content_Types].xml",
        "is a spreadsheet or another file of an office program: save its"
    )]
    [InlineData("", "is empty")]
    [InlineData("path,label\n1,a\n", "('1.jpg' is: set the extension to '.jpg')")]
    [InlineData("path,label\nelsewhere.jpg,a\n", "none of its photos is in")]
    public void Open_BadTable_SaysWhereAndWhat(string text, string expected)
    {
        _folder.Write("1.jpg", "x");
        var csv = _folder.Write("labels.csv", text);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv }));
        Assert.StartsWith(csv, error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>What Path.GetRelativePath gives on Linux and on Windows.</summary>
    [Theory]
    [InlineData("a/1.jpg", "a/1.jpg")]
    [InlineData(@"a\1.jpg", "a/1.jpg")]
    [InlineData("..a.jpg", "..a.jpg")]
    [InlineData("..", null)]
    [InlineData("../1.jpg", null)]
    [InlineData(@"..\1.jpg", null)]
    [InlineData("/mnt/1.jpg", null)]
    public void Below_OfARelativePath_IsWithSlashesAndInside(string relative, string? expected) =>
        Assert.Equal(expected, LabelledFiles.Below(relative));

    [Theory]
    [InlineData("1", "", "train/1.JPG", "('train/1.JPG' is: set the folder to '{0}/train' and the extension to '.JPG')")]
    [InlineData("1", "jpg", "1.JPG", "('1.JPG' is: set the extension to '.JPG')")]
    [InlineData("1.jpg", "", "photos/1.jpg", "('photos/1.jpg' is: set the folder to '{0}/photos')")]
    [InlineData("1.jpg", "", "1.JPG", "('1.JPG' is)")]
    [InlineData("a/1.jpg", "", "all/a/1.jpg", "('all/a/1.jpg' is: set the folder to '{0}/all')")]
    public void Open_PhotosThatAreNear_SaysWhatToSet(string name, string extension, string file, string expected)
    {
        _folder.Write(file, "x");
        var csv = _folder.Write("labels.csv", $"id,label\n{name},a\n");
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv, Extension = extension }));
        Assert.EndsWith(string.Format(System.Globalization.CultureInfo.InvariantCulture, expected, _folder.Root), error.Message);
    }

    [Fact]
    public void Open_UnknownColumn_SuggestsTheNearest()
    {
        var csv = _folder.Write("labels.csv", "image_name,breed\n1,a\n");
        var error = Assert.Throws<UsageException>(() => DatasetReader.Open(new DatasetOptions { Path = csv, PathColumn = "image_nam" }));
        Assert.EndsWith("has no column 'image_nam' (it has image_name, breed); did you mean 'image_name'?", error.Message);
    }
}
