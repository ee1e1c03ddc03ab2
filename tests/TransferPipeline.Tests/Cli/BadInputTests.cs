using System.Text.Json.Nodes;
using static TransferPipeline.Tests.Cli.TransferResult;

namespace TransferPipeline.Tests.Cli;

/// <summary>Bad input through the command, as a user meets it: one clear line, the right exit code.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Extract_MissingFolder_SaysSo() =>
        AssertRefused(Extract(Path.Combine(_folder.Root, "nothing")), "there is no such file or folder");

    [Fact]
    public void DataCheck_ShareOutOfRange_NamesTheOption() =>
        AssertRefused(
            TransferProcess.Run("data", "check", "--data", SamplePhotos.Folder, "--validation-share", "2"),
            "validation-share is 2, expected a number from 0 to below 1"
        );

    /// <summary>What cannot be opened is wrong input, in every command that reads it.</summary>
    [Theory]
    [InlineData("data", "check", "--data")]
    [InlineData("inspect")]
    [InlineData("run")]
    [InlineData("export", "--out", "classifier.onnx")]
    public void AnyCommand_ALinkThatLeadsNowhere_IsRefused(params string[] command)
    {
        foreach (var target in (string[])["nowhere", "link"])
        {
            File.Delete(_folder.At("link"));
            File.CreateSymbolicLink(_folder.At("link"), _folder.At(target));
            AssertRefused(TransferProcess.Run([.. command, _folder.At("link")]), _folder.At("link"));
        }
    }

    [Fact]
    public void Extract_PhotosThatCannotBeUsedWithinTheLimit_NamesTheFirst()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 8, "hat", "shoes", "dress");
        File.WriteAllText(Path.Combine(data, "train", "hat", "words.jpg"), "no photo");
        foreach (var _ in (int[])[1, 2])
        {
            var result = Extract(data);
            Assert.Equal(0, result.ExitCode);
            Assert.Contains(
                $"1 of 49 photos could not be used; first train/hat/words.jpg: not an image (starts with \"no photo\"); 'transfer "
                    + $"features show {_folder.At("set")}' lists all",
                result.Error,
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("--stream")]
    public void Train_PlaceThatCannotBeWritten_IsRefusedBeforeTheFit(string stream)
    {
        var set = SyntheticFeatureSet.Write(_folder.At("set"), SyntheticFeatureSet.Photos(6, ["cat", "dog"], "train", "validation"));
        File.WriteAllText(_folder.At("file"), "");
        TransferResult Train(string place) =>
            TransferProcess.Run([
                "train",
                "--features",
                set,
                "--head",
                "softmax",
                "--out",
                place,
                .. stream == "" ? [] : (string[])[stream],
            ]);

        AssertRefused(Train(set), $"{set} is a folder, expected the name of a file");
        var below = Train(_folder.At("file") + "/classifier.onnx");
        Assert.Equal(1, below.ExitCode);
        Assert.EndsWith(
            $"file/classifier.onnx cannot be written: {_folder.At("file")} is a file, not a folder",
            below.LastErrorLine,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Train_DamagedSetStreamed_IsRefused()
    {
        var set = SyntheticFeatureSet.Write(_folder.At("set"), SyntheticFeatureSet.Photos(6, ["cat", "dog"], "train", "validation"));
        var part = Path.Combine(set, "part-00000.parquet");
        var bytes = File.ReadAllBytes(part);
        bytes[bytes.Length / 3] ^= 1;
        File.WriteAllBytes(part, bytes);
        AssertRefused(
            TransferProcess.Run(
                "train",
                "--features",
                set,
                "--head",
                "softmax",
                "--stream",
                "--out",
                _folder.At("c.onnx"),
                "--model",
                Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx")
            ),
            "part-00000.parquet is damaged: its SHA-256 is not the one in the manifest"
        );
    }

    [Fact]
    public void Predict_NamesWithLineEndsAndEscapes_StayOneLine()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 4, "hat", "shoes");
        Assert.Equal(0, Extract(data).ExitCode);
        Assert.Equal(
            0,
            TransferProcess.Run("train", "--features", _folder.At("set"), "--head", "ridge", "--out", _folder.At("c.onnx")).ExitCode
        );
        var photos = Directory.CreateDirectory(_folder.At("odd")).FullName;
        File.Copy(SamplePhotos.Photos("train", "hat").First(), Path.Combine(photos, "two\nlines \u001b[31m \u202egpj.jpg"));
        File.WriteAllText(Path.Combine(photos, "bro\nken.jpg"), "no photo");
        var result = TransferProcess.Run("predict", _folder.At("c.onnx"), photos);
        Assert.Contains(
            "/two\\nlines \\x1b[31m \\u202egpj.jpg: ",
            Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "/bro\\nken.jpg: not an image",
            Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Extract_EmptyFolder_SaysSo() => AssertRefused(Extract(Directory.CreateDirectory(_folder.At("empty")).FullName), "empty");

    [Fact]
    public void Inspect_FileThatIsNoModel_IsTakenForAFile() =>
        AssertRefused(TransferProcess.RunIn(SharedData.Repository, null, ["inspect", "README.md"]), "README.md: not an ONNX model");

    [Fact]
    public void Extract_IntoAFolderThatCannotBe_SaysWhyInWords()
    {
        File.WriteAllText(_folder.At("file"), "");
        var result = TransferProcess.Run(
            "extract",
            "--data",
            SamplePhotos.Copy(_folder.At("data"), 2, "hat", "shoes"),
            "--model",
            "efficientnet-lite0",
            "--out",
            _folder.At("file") + "/set"
        );
        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith(
            $"file/set cannot be written: {_folder.At("file")} is a file, not a folder",
            result.LastErrorLine,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Compare_ReportThatCannotBeWritten_IsOneLineBeforeTheWork()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 4, "hat", "shoes");
        Assert.Equal(0, Extract(data).ExitCode);
        File.WriteAllText(_folder.At("file"), "");
        var result = TransferProcess.Run(
            "compare",
            "--features",
            _folder.At("set"),
            "--heads",
            "ridge",
            "--report",
            _folder.At("file") + "/report.html"
        );
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Equal(
            $"transfer: {_folder.At("file")}/report.html cannot be written: {_folder.At("file")} is a file, not a folder",
            result.LastErrorLine
        );
    }

    [Fact]
    public void Compare_OneClassOnly_SaysSo()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 2, "hat");
        var extracted = Extract(data);
        Assert.Equal(0, extracted.ExitCode);
        AssertRefused(TransferProcess.Run("compare", "--features", _folder.At("set"), "--heads", "softmax"), "one class");
    }

    [Fact]
    public void DataCheck_EmptyClassSameNamesAndStrangers_ListsThem()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 2, "hat", "shoes");
        Directory.CreateDirectory(Path.Combine(data, "train", "skirt"));
        var photo = SamplePhotos.Photos("train", "hat").First();
        File.Copy(photo, Path.Combine(data, "train", "shoes", Path.GetFileName(photo)));
        File.WriteAllText(Path.Combine(data, "train", "hat", "notes.txt"), "not a photo");
        File.WriteAllBytes(Path.Combine(data, "train", "hat", "moving.gif"), "GIF89a"u8.ToArray());
        var result = TransferProcess.Run("data", "check", "--data", data, "--json");
        Assert.Equal(0, result.ExitCode);
        var problems = JsonNode.Parse(result.Output)!["problems"]!.AsArray().Select(p => $"{p!["path"]}: {p["problem"]}").ToArray();
        Assert.Contains(problems, p => p.Contains("skirt", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains(Path.GetFileName(photo), StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains("notes.txt", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains("moving.gif", StringComparison.Ordinal));
    }

    [Fact]
    public void Extract_DamagedPhotos_AreRecordedAndTheRestIsKept()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 2, "hat", "shoes");
        File.WriteAllBytes(Path.Combine(data, "train", "hat", "empty.jpg"), []);
        var photo = File.ReadAllBytes(SamplePhotos.Photos("train", "hat").Last());
        File.WriteAllBytes(Path.Combine(data, "train", "hat", "truncated.jpg"), photo[..(photo.Length / 2)]);
        File.WriteAllText(Path.Combine(data, "train", "shoes", "text.jpg"), "this is text");

        var tooMany = Extract(data);
        Assert.Equal(1, tooMany.ExitCode);
        Assert.Contains(
            "3 of 11 photos could not be used, more than the limit of 5 %; first ",
            tooMany.LastErrorLine,
            StringComparison.Ordinal
        );
        Assert.Contains("more than the limit of 0.25 %; ", Extract(data, "--max-failed", "0.0025").LastErrorLine, StringComparison.Ordinal);

        var accepted = Extract(data, "--max-failed", "0.5", "--json");
        Assert.Equal(0, accepted.ExitCode);
        var set = JsonNode.Parse(accepted.Output)!.AsArray().Single()!;
        Assert.Equal((0, 8, 3), (set["computed"]!.GetValue<int>(), set["reused"]!.GetValue<int>(), set["failed"]!.GetValue<int>()));

        var shown = TransferProcess.Run("features", "show", _folder.At("set"));
        Assert.Contains("train/hat/empty.jpg", shown.Output, StringComparison.Ordinal);
        Assert.Contains("train/hat/truncated.jpg", shown.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not an ONNX")]
    [InlineData("this is no model", "not an ONNX")]
    public void Inspect_NotAModel_SaysSo(string content, string expected) =>
        AssertRefused(TransferProcess.Run("inspect", _folder.Write("broken.onnx", content)), expected);

    [Fact]
    public void FeaturesVerify_FlippedByte_NamesThePart()
    {
        Assert.Equal(0, Extract(SamplePhotos.Copy(_folder.At("data"), 1, "hat", "shoes")).ExitCode);
        var part = Directory.GetFiles(_folder.At("set"), "part-*.parquet").Single();
        var bytes = File.ReadAllBytes(part);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(part, bytes);
        AssertRefused(TransferProcess.Run("features", "verify", _folder.At("set")), Path.GetFileName(part));
        AssertRefused(TransferProcess.Run("compare", "--features", _folder.At("set")), Path.GetFileName(part));
    }

    [Fact]
    public void FeaturesShow_NewerManifest_SaysWhichVersionIsKnown()
    {
        Assert.Equal(0, Extract(SamplePhotos.Copy(_folder.At("data"), 1, "hat", "shoes")).ExitCode);
        var file = _folder.At("set", "manifest.json");
        var manifest = JsonNode.Parse(File.ReadAllText(file))!;
        manifest["format"] = 99;
        File.WriteAllText(file, manifest.ToJsonString());
        AssertRefused(TransferProcess.Run("features", "show", _folder.At("set")), "99");
    }

    [Fact]
    public void Extract_IntoAFile_SaysSo() =>
        AssertRefused(
            TransferProcess.Run(
                "extract",
                "--data",
                SamplePhotos.Folder,
                "--model",
                "efficientnet-lite0",
                "--out",
                _folder.Write("file", "x")
            ),
            "is a file, expected a folder"
        );

    [Fact]
    public void Extract_UnwritableFolder_SaysSo()
    {
        var result = TransferProcess.Run(
            "extract",
            "--data",
            SamplePhotos.Folder,
            "--model",
            "efficientnet-lite0",
            "--out",
            "/proc/transfer/set"
        );
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("/proc/transfer/set", result.LastErrorLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("modle: efficientnet-lite0", "unknown key 'modle'; did you mean 'model'?")]
    [InlineData("heads: [sofmax]", "did you mean 'softmax'?")]
    [InlineData("model: efficientnet-light0", "did you mean 'efficientnet-lite0'")]
    [InlineData("decoder: pilow", "job.yaml:4: decoder: there is no decoder 'pilow'; did you mean 'pillow'? (known: pillow, imagesharp)")]
    [InlineData("parquet: parket-net", "job.yaml:4: parquet: there is no Parquet library 'parket-net'")]
    [InlineData("heads: [softmax: {C: 0}]", "C is '0', expected a number from 1E-20 to 1E+20")]
    public void Run_MisspeltPipeline_SuggestsTheNearest(string line, string expected)
    {
        var file = _folder.Write("job.yaml", $"data: {{path: {SamplePhotos.Folder}}}\n");
        var key = line.Split(':')[0];
        if (key != "model")
            File.AppendAllText(file, "model: efficientnet-lite0\n");
        if (key != "heads")
            File.AppendAllText(file, "heads: [softmax]\n");
        File.AppendAllText(file, line + "\n");
        AssertRefused(TransferProcess.Run("run", file, "--out", _folder.At("out")), expected);
        Assert.False(Directory.Exists(_folder.At("out", "features")));
    }

    [Fact]
    public void Run_AbsentPackage_FailsBeforeAnyWorkOrIsLeftOut()
    {
        if (TransferProcess.Run("heads", "mlnet-fast-tree", "--json").Output.Contains("\"available\": true", StringComparison.Ordinal))
            Assert.Skip("this build has Microsoft.ML");
        var file = _folder.Write(
            "job.yaml",
            $"data: {{path: {SamplePhotos.Copy(_folder.At("data"), 2, "hat", "shoes")}}}\nmodel: efficientnet-lite0\nheads: [ridge, "
                + $"mlnet-fast-tree]\n"
        );
        AssertRefused(TransferProcess.Run("run", file, "--out", _folder.At("out")), "mlnet-fast-tree is not available");
        var optional = TransferProcess.Run("run", file, "--out", _folder.At("out"), "--set", "heads.1={mlnet-fast-tree: {optional: true}}");
        Assert.Equal(0, optional.ExitCode);
        Assert.Contains("left out: mlnet-fast-tree", optional.Error, StringComparison.Ordinal);
    }

    private TransferResult Extract(string data, params string[] more) =>
        TransferProcess.Run(["extract", "--data", data, "--model", "efficientnet-lite0", "--out", _folder.At("set"), .. more]);
}
