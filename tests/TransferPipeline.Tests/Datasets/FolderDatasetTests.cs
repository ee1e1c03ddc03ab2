using System.Diagnostics;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class FolderDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A class folder on a disk that is not mounted.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("train/")]
    public void Open_ClassFolderThatIsALinkToNothing_IsNamed(string split)
    {
        foreach (var path in new[] { "a/1.jpg", "b/2.jpg" })
            _folder.Write(split + path, path);
        File.CreateSymbolicLink(_folder.At($"{split}c"), "/nowhere/c");
        File.CreateSymbolicLink(_folder.At($"{split}a/d"), "/nowhere/d");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["a", "b"], data.Classes);
        Assert.Contains(data.Problems, p => p.Path == $"{split}c" && p.Problem == "ignored file: a symbolic link to nothing");
        Assert.Contains(data.Problems, p => p.Path == $"{split}a/d" && p.Problem == "ignored file: a symbolic link to nothing");
    }

    [Fact]
    public void Open_NothingThatCanBeOpened_SaysWhy()
    {
        foreach (var name in new[] { "b", "a" })
            File.CreateSymbolicLink(_folder.At(name), "/nowhere");
        Assert.Equal(
            $"{_folder.Root} holds no photos that can be opened; of 2 files and folders the first is 'a': a symbolic link to nothing",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root })).Message
        );
    }

    [Fact]
    public void Open_TestAsValidation_LeavesDataWithAValidationSplitAlone()
    {
        foreach (var path in new[] { "train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg", "test/b/4.jpg" })
            _folder.Write(path, path);
        using (var without = DatasetReader.Open(new DatasetOptions { Path = _folder.Root, TestAsValidation = true }))
            Assert.Equal([Splits.Train, Splits.Train, Splits.Validation, Splits.Validation], without.Entries.Select(e => e.Split));
        _folder.Write("val/a/5.jpg", "5");
        _folder.Write("val/b/6.jpg", "6");
        using var with = DatasetReader.Open(new DatasetOptions { Path = _folder.Root, TestAsValidation = true });
        Assert.Equal(2, with.Entries.Count(e => e.Split == Splits.Validation));
        Assert.Equal(2, with.Entries.Count(e => e.Split == Splits.Test));
    }

    [Fact]
    public void Open_Hymenoptera_HasImageFoldersCountsAndLeavesTheGifOut()
    {
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireHymenoptera() });

        Assert.Equal(["ants", "bees"], data.Classes);
        Assert.Equal(244, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.Equal(153, data.Entries.Count(e => e.Split == Splits.Validation));
        var problem = Assert.Single(data.Problems);
        Assert.Equal("train/ants/imageNotFound.gif", problem.Path);
        Assert.Contains("ignored file", problem.Problem);
    }

    [Fact]
    public void Open_Hymenoptera_HasTheOrderOfTheReferenceFeatures()
    {
        var files = File.ReadAllLines(SharedData.RequireReference("features-hymenoptera-val-files.txt"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireHymenoptera() });

        Assert.Equal(
            files.Select(file => file[file.IndexOf("val/", StringComparison.Ordinal)..]),
            data.Entries.Where(e => e.Split == Splits.Validation).Select(e => e.Path)
        );
    }

    [Fact]
    public void Read_EveryPhoto_GivesTheFileAndItsStamp()
    {
        var root = SharedData.RequireHymenoptera();
        using var data = DatasetReader.Open(new DatasetOptions { Path = root });
        Parallel.For(
            0,
            data.Entries.Count,
            () => Array.Empty<byte>(),
            (i, _, buffer) =>
            {
                var file = Path.Combine(root, data.Entries[i].Path);
                var length = data.Read(i, ref buffer);
                Assert.Equal(File.ReadAllBytes(file), buffer.AsSpan(0, length).ToArray());
                Assert.Equal(
                    new PhotoStamp(length, (File.GetLastWriteTimeUtc(file).Ticks - DateTime.UnixEpoch.Ticks) * 100),
                    data.Stamp(i)
                );
                return buffer;
            },
            _ => { }
        );
    }

    [Fact]
    public void Open_NoSplitFolders_SplitsByClass()
    {
        using var data = DatasetReader.Open(
            new DatasetOptions { Path = Path.Combine(SharedData.RequireClothing(), "train"), ValidationShare = 0.1 }
        );

        Assert.Equal(10, data.Classes.Count);
        Assert.Equal(3068, data.Entries.Count);
        Assert.Equal(307, data.Entries.Count(e => e.Split == Splits.Validation));
        Assert.Equal(data.Entries.Select(e => e.Path).Order(StringComparer.Ordinal), data.Entries.Select(e => e.Path));
    }

    [Fact]
    public void Open_Samples_HoldEnoughOfEveryClassAndStaySmall()
    {
        var root = Path.Combine(SharedData.Repository, "samples", "clothing");
        using var data = DatasetReader.Open(new DatasetOptions { Path = root });

        Assert.Empty(data.Problems);
        Assert.Equal(10, data.Classes.Count);
        Assert.All(
            data.Classes,
            name =>
            {
                Assert.True(data.Entries.Count(e => e.Label == name && e.Split == Splits.Train) >= 20);
                Assert.True(data.Entries.Count(e => e.Label == name && e.Split == Splits.Validation) >= 8);
            }
        );
        Assert.InRange(Enumerable.Range(0, data.Entries.Count).Sum(i => data.Stamp(i).Bytes), 1, 8_000_000);
        Assert.Contains("CC0 1.0", File.ReadAllText(Path.Combine(root, "LICENSE")));
    }

    [Fact]
    public void Open_AllExtensionsInAnyCase_AreThoseOfImageFolder()
    {
        foreach (
            var name in new[]
            {
                "1.JPG",
                "2.jpeg",
                "3.PnG",
                "4.ppm",
                "5.bmp",
                "6.pgm",
                "7.tif",
                "8.tiff",
                "9.webp",
                "no.gif",
                "no.txt",
                "no",
            }
        )
            _folder.Write($"a/{name}", "x");
        _folder.Write("b/deep/er/1.jpg", "x");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(10, data.Entries.Count);
        Assert.Equal("b/deep/er/1.jpg", data.Entries[^1].Path);
        Assert.Equal(
            ["a/no", "a/no.gif", "a/no.txt"],
            data.Problems.Select(p => p.Path).Where(p => p.StartsWith("a/no")).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Open_SubfoldersOfAClass_HaveTheOrderOfImageFolder()
    {
        // torchvision walks folder by folder, the folders in order of their paths: a file of the class folder itself comes first.
        foreach (var name in new[] { "a/z.jpg", "a/sub/1.jpg", "a/sub-2/0.jpg", "a/B.jpg", "b/1.jpg" })
            _folder.Write(name, "x");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(["a/B.jpg", "a/z.jpg", "a/sub/1.jpg", "a/sub-2/0.jpg", "b/1.jpg"], data.Entries.Select(e => e.Path));
    }

    [Fact]
    public void Open_SymbolicLinks_AreFollowedAndLoopsEnd()
    {
        _folder.Write("outside/p.jpg", "four");
        _folder.Write("data/a/1.jpg", "x");
        _folder.Write("data/b/1.jpg", "x");
        File.CreateSymbolicLink(_folder.At("data/a/link.jpg"), "../../outside/p.jpg");
        File.CreateSymbolicLink(_folder.At("data/a/gone.jpg"), "nowhere.jpg");
        File.CreateSymbolicLink(_folder.At("data/a/self.jpg"), "self.jpg");
        Directory.CreateSymbolicLink(_folder.At("data/a/folder"), "../../outside");
        Directory.CreateSymbolicLink(_folder.At("data/b/loop"), "..");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("data") });

        Assert.Equal(["a/1.jpg", "a/link.jpg", "a/folder/p.jpg", "b/1.jpg"], data.Entries.Select(e => e.Path));
        Assert.Equal(4, data.Stamp(1).Bytes);
        Assert.Contains(data.Problems, p => p.Path == "a/gone.jpg" && p.Problem.Contains("link to nothing"));
        Assert.Contains(data.Problems, p => p.Path == "a/self.jpg" && p.Problem.Contains("link to nothing"));
    }

    [Fact]
    public void Open_WhatSystemsLeaveInFolders_IsNoPhoto()
    {
        foreach (var name in new[] { "1.jpg", "._1.jpg", ".DS_Store", "Thumbs.db", "desktop.ini" })
            _folder.Write("a/" + name, "x");
        _folder.Write("b/1.jpg", "x");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["a/1.jpg", "b/1.jpg"], data.Entries.Select(e => e.Path).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["a/._1.jpg"],
            data.Problems.Where(p => p.Problem.StartsWith("ignored", StringComparison.Ordinal)).Select(p => p.Path)
        );
    }

    [Fact]
    public void Read_APipeAmongPhotos_IsEmptyAndNotWaitedFor()
    {
        _folder.Write("a/1.jpg", "x");
        _folder.Write("b/1.jpg", "x");
        _folder.Pipe("b/2.jpg");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        var (pipe, buffer) = (data.Entries.Select(e => e.Path).ToList().IndexOf("b/2.jpg"), Array.Empty<byte>());

        Assert.Equal(0, data.Read(pipe, ref buffer));
        Assert.Contains(data.Problems, p => p is { Path: "b/2.jpg", Problem: "empty, or a pipe or device" });
    }

    [Fact]
    public void Open_NamesThatAreNotUtf8_AreNotedAndLeftOut()
    {
        UnixTools.RequireLinux();
        foreach (var name in new[] { "a/1.jpg", "b/1.jpg", "b/\u00e9.jpg" })
            _folder.Write(name, "x");
        // .NET can neither make nor delete such names.
        Shell("d=$(printf 'c\\351'); mkdir \"$d\"; echo x > \"$d/1.jpg\"; echo x > \"a/$d.jpg\"");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(["a/1.jpg", "b/1.jpg", "b/\u00e9.jpg"], data.Entries.Select(e => e.Path));
        Assert.Contains(data.Problems, p => p is { Path: "c\uFFFD", Problem: "ignored folder: its name is not UTF-8; rename it" });
        Assert.Contains(data.Problems, p => p is { Path: "a/c\uFFFD.jpg", Problem: "ignored file: its name is not UTF-8; rename it" });
        Shell("rm -r c* a/c*");

        void Shell(string command)
        {
            using var shell = Process.Start(
                new ProcessStartInfo("sh") { WorkingDirectory = _folder.Root, ArgumentList = { "-c", command } }
            )!;
            shell.WaitToEnd();
            Assert.Equal(0, shell.ExitCode);
        }
    }

    [Fact]
    public void Open_AnEmptyClassAndOneThatASplitLacks_AreNoted()
    {
        _folder.Write("train/a/1.jpg", "x");
        _folder.Write("train/b/2.jpg", "x");
        _folder.Write("val/a/3.jpg", "x");
        Directory.CreateDirectory(_folder.At("val/b"));
        Directory.CreateDirectory(_folder.At("train/c"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(["a", "b"], data.Classes);
        Assert.Contains(data.Problems, p => p is { Path: "train/c", Problem: "the class folder has no photos; the class is left out" });
        Assert.Contains(data.Problems, p => p is { Path: "b", Problem: "the class has no photo in split validation" });
    }

    [Fact]
    public void Open_OneClassOnly_IsNoted()
    {
        _folder.Write("a/1.jpg", "x");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Contains(data.Problems, p => p.Path == "a" && p.Problem.StartsWith("the only class"));
    }

    [Fact]
    public void Open_TwoFilesOfTheSameNameInTwoClasses_AreTwoPhotos()
    {
        _folder.Write("a/1.jpg", "x");
        _folder.Write("b/1.jpg", "y");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(2, data.Entries.Count);
        Assert.Contains(data.Problems, p => p.Path == "a/1.jpg" && p.Problem.Contains("also as b/1.jpg"));
    }

    [Fact]
    public void Open_ZeroByteFile_IsNotedAndKept()
    {
        _folder.Write("a/1.jpg", "");
        _folder.Write("b/2.jpg", "y");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        var buffer = Array.Empty<byte>();
        Assert.Equal(0, data.Read(0, ref buffer));
        Assert.Contains(data.Problems, p => p is { Path: "a/1.jpg", Problem: "empty, or a pipe or device" });
    }

    [Fact]
    public void Open_ClassesThatAreCalledTrainOrTest_AreClasses()
    {
        _folder.Write("train/1.jpg", "x");
        _folder.Write("bus/2.jpg", "y");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["bus", "train"], data.Classes);
    }

    [Fact]
    public void Open_SomeClasses_LeavesTheOthersOut()
    {
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireClothing(), Classes = ["shoes", "hat"] });

        Assert.Equal(["hat", "shoes"], data.Classes);
        Assert.Equal(123 + 198 + 14 + 26, data.Entries.Count);
        Assert.Empty(data.Problems);
        var error = Assert.Throws<UsageException>(() =>
            DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireClothing(), Classes = ["shoe"] })
        );
        Assert.EndsWith("has no class 'shoe'; did you mean 'shoes'?", error.Message);
    }

    [Fact]
    public void Open_ThousandsOfStrayFiles_AreCountedNotListed()
    {
        for (var i = 0; i < 1000; i++)
            _folder.Write($"a/{i}.txt", "");
        _folder.Write("a/1.jpg", "x");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.InRange(data.Problems.Count, 20, 25);
        Assert.Contains(data.Problems, p => p.Problem.Contains("980 more"));
    }

    [Theory]
    [InlineData("missing", "there is no such file or folder")]
    [InlineData("empty", "holds no photos")]
    [InlineData("flat", "holds 2 photos but no class folders")]
    [InlineData("mixed", "holds the split folders train, val and also 'models'")]
    public void Open_NotADataset_SaysWhatIsExpected(string name, string expected)
    {
        Directory.CreateDirectory(_folder.At("empty"));
        Directory.CreateDirectory(_folder.At("empty/a"));
        _folder.Write("flat/1.jpg", "x");
        _folder.Write("flat/2.jpg", "x");
        foreach (var folder in new[] { "train/a", "val/a", "models" })
            _folder.Write($"mixed/{folder}/1.jpg", "x");
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.At(name) }));
        Assert.StartsWith(_folder.At(name), error.Message);
        Assert.Contains(expected, error.Message);
        Assert.Contains("expected", error.Message);
    }
}
