using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Names that are alike, encodings, and folders around or inside the usual ones.</summary>
public sealed class NamesAndFormsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> EncodingsThatAreRead => ["utf-8", "utf-8 with mark", "utf-16", "utf-16BE", "utf-32"];

    [Theory]
    [MemberData(nameof(EncodingsThatAreRead))]
    public void Csv_InAnEncodingWithAMarkOrUtf8_HasItsLabels(string name)
    {
        _folder.Write("1.jpg", "x");
        var encoding = name switch
        {
            "utf-8" => new UTF8Encoding(false),
            "utf-8 with mark" => new UTF8Encoding(true),
            _ => Encoding.GetEncoding(name),
        };
        var csv = _folder.Write("labels.csv", [.. encoding.Preamble, .. encoding.GetBytes("file,label\r\n1.jpg,caf\u00e9 日本\r\n")]);
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });
        Assert.Equal(["caf\u00e9 日本"], data.Classes);
    }

    [Theory]
    [InlineData("latin1", "line 3: byte 0xE9 is not UTF-8")]
    [InlineData("utf-16", "line 1: a zero byte; expected text in UTF-8")]
    public void Csv_InAnEncodingWithoutAMark_IsRefusedWithItsLine(string name, string expected)
    {
        _folder.Write("1.jpg", "x");
        var csv = _folder.Write("labels.csv", Encoding.GetEncoding(name).GetBytes("file,label\n1.jpg,a\n2.jpg,caf\u00e9\n"));
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv }));
        Assert.StartsWith($"{csv}, {expected}", error.Message);
    }

    /// <summary>Class names in code pages of Asia and Russia, of Latin-1 and Windows-1252: the bytes do not say which one it is.</summary>
    [Theory]
    [InlineData("GB18030", "C3A8 0A B9B7")]
    [InlineData("Big5", "BFDF 0A AAAF")]
    [InlineData("Shift-JIS", "944C 0A 8CA2")]
    [InlineData("EUC-KR", "B0ED 0A BEE7")]
    [InlineData("KOI8-R", "CBCFD4 0A D3CFC2")]
    [InlineData("Windows-1252", "80E9 0A 93E9")]
    public void Text_InACodePage_IsRefusedWithoutNamingAnEncoding(string encoding, string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var list = _folder.Write("labels.txt", bytes);
        var error = Assert.Throws<BadInputException>(() => TextFile.Names(list));
        Assert.StartsWith($"{list}, line ", error.Message);
        Assert.Contains(": byte 0x", error.Message);
        Assert.Contains("convert it with iconv -f ENCODING -t UTF-8", error.Message);
        Assert.DoesNotContain("1252", error.Message);
        Assert.DoesNotContain("Latin", error.Message);
        Assert.DoesNotContain(encoding, error.Message);
        var again = Assert.Throws<BadInputException>(() => TextFile.Read(bytes, "labels.tar, member 1.cls"));
        Assert.StartsWith("labels.tar, member 1.cls, line ", again.Message);
    }

    /// <summary>
    /// The check goes through the file in pieces: a character that lies across two of them is no fault, and lines are counted on.
    /// </summary>
    [Fact]
    public void TextFile_OfManyPieces_CountsLinesAndKeepsCharactersWhole()
    {
        var good = new byte[200_003];
        for (var i = 0; i + 3 <= good.Length; i += 3)
            "日"u8.CopyTo(good.AsSpan(i));
        good[^2] = good[^1] = (byte)'\n';
        TextFile.Require(_folder.Write("good.txt", good));
        var error = Assert.Throws<BadInputException>(() => TextFile.Require(_folder.Write("bad.txt", [.. good, 0xE9, (byte)'x'])));
        Assert.Contains(", line 3: byte 0xE9", error.Message);
        error = Assert.Throws<BadInputException>(() => TextFile.Require(_folder.Write("cut.txt", good[..^4])));
        Assert.Contains("is not UTF-8", error.Message);
    }

    [Theory]
    [InlineData("\u00e9", "e\u0301")]
    [InlineData("\u1eaf", "a\u0306\u0301")]
    [InlineData("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af")]
    [InlineData("\u30ac", "\u30ab\u3099")]
    [InlineData("\u0419", "\u0418\u0306")]
    public void Decompose_OfAComposedName_IsItsOtherForm(string composed, string decomposed)
    {
        Assert.Equal(decomposed, UnicodeForms.Decompose(composed));
        Assert.Equal(decomposed, UnicodeForms.Decompose(decomposed));
    }

    [Fact]
    public void Classes_ThatAreAlike_AreNamed()
    {
        foreach (var path in new[] { "Great White/1.jpg", "great_white/2.jpg", "cat/3.jpg", "\u30ac/4.jpg", "\u30ab\u3099/5.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(4, data.Classes.Count);
        Assert.Contains(
            data.Problems,
            p => p.Problem.EndsWith("they are taken as different classes: 'Great White', 'great_white'", StringComparison.Ordinal)
        );
        Assert.Contains(data.Problems, p => p.Path == "\u30ac" && p.Problem.Contains("two Unicode forms"));
        Assert.Equal(
            ["\u30ab\u3099/5.jpg", "\u30ac/4.jpg"],
            data.Entries.Where(e => e.Label == "\u30ac").Select(e => e.Path).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("caf\u00e9", "cafe\u0301")]
    [InlineData("cafe\u0301", "caf\u00e9")]
    public void Classes_ThatAreChosen_AreFoundInAnotherUnicodeForm(string folder, string wanted)
    {
        foreach (var path in new[] { $"{folder}/1.jpg", "b/2.jpg", "c/3.jpg" })
            _folder.Write(path, path);
        var options = new DatasetOptions { Path = _folder.Root, Classes = ["b", wanted, "b"] };
        using var data = DatasetReader.Open(options);
        Assert.Equal(["b", folder], data.Classes);
        Assert.Equal(2, data.Entries.Count);
        Assert.Contains(
            "has no class 'cafe'; did you mean",
            Assert.Throws<UsageException>(() => DatasetReader.Open(options with { Classes = ["cafe"] })).Message
        );
    }

    [Theory]
    [InlineData("ants", "ants ", true)]
    [InlineData("ants", "\tants", true)]
    [InlineData(" ants", " ants", false)]
    [InlineData("\"ants\"", "\"ants\" ", true)]
    public void Csv_LabelsWithSpacesAroundThem_AreOneClassWithALine(string first, string second, bool isNoted)
    {
        foreach (var path in new[] { "1.jpg", "2.jpg", "3.jpg" })
            _folder.Write(path, path);
        var csv = _folder.Write("labels.csv", $"file,label\n1.jpg,{first}\n2.jpg,{second}\n3.jpg,{second}\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });
        Assert.Equal(["ants"], data.Classes);
        Assert.Equal(
            isNoted ? 1 : 0,
            data.Problems.Count(p =>
                p is { Path: "ants", Problem: "the class is written with and without spaces around its name; they are taken as one class" }
            )
        );
    }

    [Fact]
    public void JsonLines_LabelsWithSpacesAroundThem_AreOneClassWithALine()
    {
        foreach (var path in new[] { "1.jpg", "2.jpg" })
            _folder.Write(path, path);
        var lines = _folder.Write(
            "labels.jsonl",
            "{\"file_name\": \"1.jpg\", \"label\": \"ants\"}\n{\"file_name\": \"2.jpg\", \"label\": \"ants \"}\n"
        );
        using var data = DatasetReader.Open(new DatasetOptions { Path = lines });
        Assert.Equal(["ants"], data.Classes);
        Assert.Contains(data.Problems, p => p.Path == "ants" && p.Problem.StartsWith("the class is written with and without spaces"));
    }

    [Theory]
    [InlineData("01", "1", true)]
    [InlineData("1.0", "1", true)]
    [InlineData("0", "00", true)]
    [InlineData("10", "1", false)]
    [InlineData("1a", "01a", false)]
    public void Classes_OfOneNumber_AreNoted(string first, string second, bool isNoted)
    {
        foreach (var path in new[] { $"{first}/1.jpg", $"{second}/2.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(2, data.Classes.Count);
        Assert.Equal(
            isNoted,
            data.Problems.Any(p => p.Problem.StartsWith("the name of the class is the same number as another's", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("ants\u200b")]
    [InlineData("\ufeffants")]
    [InlineData("ants\u3000")]
    [InlineData("ants.")]
    [InlineData("\uff41\uff4e\uff54\uff53")]
    [InlineData("\u0430nts")]
    [InlineData("an\uFF54s")]
    [InlineData("ants\uFE0F")]
    [InlineData("ants\u3164")]
    public void Classes_ThatDifferInInvisibleCharacters_AreNoted(string name)
    {
        foreach (var path in new[] { "ants/1.jpg", $"{name}/2.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Contains(data.Problems, p => p.Problem.StartsWith("the name of the class differs from another only in case, spaces"));
    }

    /// <summary>What office programs put in the place of plain characters, or in front of texts.</summary>
    [Theory]
    [InlineData("T-shirt", "T\u2013shirt")]
    [InlineData("lady's slipper", "lady\u2019s slipper")]
    [InlineData("a b...", "a b\u2026")]
    [InlineData("'cat", "cat")]
    [InlineData("cat", "cat,")]
    public void Classes_ThatDifferInPunctuation_AreNoted(string plain, string typed)
    {
        foreach (var path in new[] { $"{plain}/1.jpg", $"{typed}/2.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(2, data.Classes.Count);
        Assert.Contains(data.Problems, p => p.Problem.EndsWith($": '{plain}', '{typed}'", StringComparison.Ordinal));
    }

    [Fact]
    public void Photos_ThatAreAlike_AreCounted()
    {
        // Elsewhere a/1.jpg and a/1.JPG are one file.
        UnixTools.RequireLinux();
        foreach (var path in new[] { "a/1.jpg", "a/1.JPG", "a/\u00e9.jpg", "a/e\u0301.jpg", "b/1.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(5, data.Entries.Count);
        Assert.Contains(
            data.Problems,
            p =>
                p.Problem.StartsWith(
                    "2 photos have names that differ from another's only in case or Unicode form (this one from 'a/1.JPG')",
                    StringComparison.Ordinal
                )
        );
    }

    [Theory]
    [InlineData("@eaDir")]
    [InlineData("#recycle")]
    [InlineData("@Recycle")]
    [InlineData(".@__thumb")]
    [InlineData("_thumbs")]
    [InlineData(".thumbnails")]
    [InlineData("__MACOSX")]
    [InlineData("$RECYCLE.BIN")]
    [InlineData(".ipynb_checkpoints")]
    [InlineData(".hidden")]
    [InlineData("~snapshot")]
    [InlineData("@Recently-Snapshot")]
    [InlineData("@tmp")]
    [InlineData("RECYCLER")]
    [InlineData("Network Trash Folder")]
    [InlineData("Temporary Items")]
    [InlineData("FOUND.000")]
    [InlineData("LOST.DIR")]
    [InlineData("lost+found")]
    [InlineData("_gsdata_")]
    public void Folders_ThatSystemsMake_AreLeftOutWithOneLine(string name)
    {
        foreach (var path in new[] { "a/1.jpg", "b/2.jpg", $"a/{name}/1.jpg", $"{name}/a/1.jpg", $"{name}/b/deep/2.jpg" })
            _folder.Write(path, path);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["a/1.jpg", "b/2.jpg"], data.Entries.Select(e => e.Path).Order(StringComparer.Ordinal));
        Assert.Equal("b/2.jpg"u8, data.Bytes(data.Entries[0].Path == "b/2.jpg" ? 0 : 1));
        Assert.Single(data.Problems, p => p.Problem.StartsWith($"3 photos in folders '{name}' are ignored", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("training_set/training_set/a/1.jpg test_set/test_set/a/2.jpg", "a:train a:test", "split folders with class folders inside")]
    [InlineData("train-images/a/1.jpg val-images/a/2.jpg", "a:train a:validation", "split folders with class folders inside")]
    [InlineData("a/train/1.jpg a/val/2.jpg b/train/3.jpg", "a:train b:train a:validation", "class folders with split folders inside")]
    [InlineData(
        "all/photos/train/a/1.jpg all/photos/dev/a/2.jpg",
        "a:train a:validation",
        "split folders with class folders inside, in the folder all/photos"
    )]
    [InlineData("train/train/a/1.jpg test/test/a/2.jpg", "a:train a:test", "split folders with class folders inside")]
    [InlineData("flowers/flowers/a/1.jpg flowers/flowers/b/2.jpg", "a:train b:train", "class folders, in the folder flowers/flowers")]
    public void Folders_AroundTheUsualOnes_AreUnderstoodAndNoted(string files, string expected, string form)
    {
        foreach (var file in files.Split(' '))
            _folder.Write(file, file);
        using var data = DatasetReader.Open(
            new DatasetOptions
            {
                Path = _folder.Root,
                ValidationShare = form.Contains("split folders", StringComparison.Ordinal) ? null : 0,
            }
        );
        Assert.Equal(expected, string.Join(' ', data.Entries.Select(e => $"{e.Label}:{e.Split}")));
        Assert.Equal(form, data.Form);
        Assert.Contains(
            data.Problems,
            p => p.Problem.Contains("taken", StringComparison.Ordinal) || p.Problem.Contains("read as one folder", StringComparison.Ordinal)
        );
        Assert.All(
            data.Entries.Select((e, i) => (e.Path, Bytes: data.Bytes(i))),
            p => Assert.Equal(p.Path, Encoding.UTF8.GetString(p.Bytes))
        );
    }

    [Fact]
    public void Folders_WithWordsOfSplitsButOtherClasses_AreClasses()
    {
        foreach (var file in new[] { "train_station/x/1.jpg", "test_tube/y/2.jpg" })
            _folder.Write(file, file);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["test_tube", "train_station"], data.Classes);
    }

    [Fact]
    public void Folders_OfTwoSpellingsOfOneSplit_AreNoted()
    {
        foreach (var file in new[] { "train/a/1.jpg", "val/a/2.jpg", "valid/a/3.jpg" })
            _folder.Write(file, file);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Contains(data.Problems, p => p.Problem == "the folders val, valid are all taken as split validation");
    }

    [Theory]
    [InlineData("0,a", "0.jpg", "000.jpg", "the zeros in front were lost")]
    [InlineData("7.0,a", "", "0007.png", "the zeros in front were lost")]
    public void Csv_WhoseNamesLostTheirZeros_IsRefused(string line, string other, string there, string expected)
    {
        _folder.Write(there, "x");
        if (other.Length > 0)
            _folder.Write("x/" + other, "x");
        var csv = _folder.Write("labels.csv", "id,label\n" + line + "\n");
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv })).Message);
    }

    [Fact]
    public void Csv_OfOpenImages_HasNamesForNumbersAndLeavesNegativesOut()
    {
        foreach (var id in new[] { "0a1", "0b2", "0c3" })
            _folder.Write($"{id}.jpg", id);
        var csv = _folder.Write(
            "train-annotations-human-imagelabels.csv",
            "ImageID,Source,LabelName,Confidence\n0a1,verification,/m/01g317,1\n0a1,verification,/m/0bt9lr,0\n"
                + "0b2,verification,/m/0bt9lr,1\n0c3,verification,/m/0bt9lr,1\n"
        );
        _folder.Write("oidv7-class-descriptions.csv", "LabelName,DisplayName\n/m/01g317,Person\n/m/0bt9lr,\"Dog, tame\"\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });
        Assert.Equal(
            [("0a1.jpg", "Person"), ("0b2.jpg", "Dog, tame"), ("0c3.jpg", "Dog, tame")],
            data.Entries.Select(e => (e.Path, e.Label))
        );
        Assert.Contains(
            data.Problems,
            p => p is { Path: "0a1.jpg", Problem: "left out: the confidence is 0, the photo was found not to show the label" }
        );
        using var dogs = DatasetReader.Open(new DatasetOptions { Path = csv, Classes = ["Dog, tame"] });
        Assert.Equal(2, dogs.Entries.Count);
        File.AppendAllText(csv, "0b2,verification,/m/01g317,1\n");
        Assert.EndsWith(
            "expected one line per photo, or choose classes that no photo shares (classes under data in a pipeline)",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = csv })).Message
        );
    }

    [Fact]
    public void Csv_NameInAnotherUnicodeForm_IsPointedOut()
    {
        _folder.Write("e\u0301.jpg", "x");
        _folder.Write("1.jpg", "x");
        var csv = _folder.Write("labels.csv", "file,label\n1.jpg,a\n\u00e9.jpg,b\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = csv });
        Assert.Contains(
            data.Problems,
            p =>
                p.Path == "\u00e9.jpg"
                && p.Problem.EndsWith("(its name is there in another Unicode form or case: e\u0301.jpg)", StringComparison.Ordinal)
        );
    }
}
