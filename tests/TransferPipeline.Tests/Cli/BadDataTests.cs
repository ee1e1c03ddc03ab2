using System.Formats.Tar;
using System.Text;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using static TransferPipeline.Tests.Cli.TransferResult;

namespace TransferPipeline.Tests.Cli;

/// <summary>Datasets, cuts and models that cannot be used, through the command.</summary>
public sealed class BadDataTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("id,label\ngone,cat\nlost,dog\n", "labels.csv: none of its photos is in ")]
    [InlineData(
        "id,label\na.jpg,cat\na.jpg,dog\n",
        "labels.csv, line 3: 'a.jpg' is 'dog' here and 'cat' in line 2; expected one line per photo"
    )]
    [InlineData("name,kind\na.jpg,cat\n", "labels.csv has no column of photo names (it has name, kind); expected id, path, ")]
    [InlineData("id,label\n../a.jpg,cat\n", "labels.csv, line 2: '../a.jpg' leads out of ")]
    [InlineData(
        "id,label\na.jpg,cat,dog\n",
        "labels.csv, line 2: 3 fields, expected 2 as in the first line; put names with commas in quotes"
    )]
    [InlineData(
        "id,label,split\na.jpg,cat,trian\n",
        "labels.csv, line 2: 'trian' is no split; did you mean 'train'? (expected train, validation or test)"
    )]
    [InlineData("", "labels.csv is empty")]
    public void Csv_ThatCannotBeUsed_IsRefused(string text, string expected)
    {
        _folder.Write("a.jpg", "x");
        AssertRefused(Check(_folder.Write("labels.csv", text)), expected);
    }

    [Theory]
    [InlineData("train-{000000..000003}.tar")]
    [InlineData("photos/*.jpg")]
    public void DataCheck_Pattern_IsRefusedWithTheCure(string pattern)
    {
        var result = TransferProcess.Run("data", "check", "--data", pattern);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal(
            $"transfer: {pattern}: there is no such file or folder; patterns are not read: give the folder in which the files lie",
            result.LastErrorLine
        );
    }

    [Theory]
    [InlineData("labels.csv", "expected a line of column names")]
    [InlineData("photos.tar", "expected a file with photos")]
    [InlineData("photos.tgz", "expected a file with photos")]
    [InlineData("photos.parquet", "expected a file with photos")]
    [InlineData("train.bin", "expected a file with photos")]
    [InlineData("parquet/train.parquet", "expected a Parquet file")]
    [InlineData("cifar/data_batch_1.bin", "expected CIFAR's binary form or Python version")]
    public void DataCheck_Pipe_IsRefusedAndNotWaitedFor(string name, string expected)
    {
        var pipe = _folder.Pipe(name);
        var result = TransferProcess.Run(
            "data",
            "check",
            "--data",
            name.Contains('/', StringComparison.Ordinal) ? Path.GetDirectoryName(pipe)! : pipe
        );
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"transfer: {pipe} is empty, or a pipe or device; {expected}", result.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_UnknownColumnAskedFor_SuggestsTheNearest()
    {
        _folder.Write("a.jpg", "x");
        AssertRefused(
            Check(_folder.Write("labels.csv", "id,breed\na.jpg,cat\n"), "--label-column", "bred"),
            "labels.csv has no column 'bred' (it has id, breed); did you mean 'breed'?"
        );
    }

    [Fact]
    public void Run_UnknownColumn_NamesTheLineOfThePipeline()
    {
        _folder.Write("a.jpg", "x");
        _folder.Write("labels.csv", "id,breed\na.jpg,cat\n");
        var file = _folder.Write(
            "job.yaml",
            "model: efficientnet-lite0\ndata:\n  path: labels.csv\n  label-column: bred\nheads: [ridge]\n"
        );
        var result = TransferProcess.Run("run", file, "--out", _folder.At("out"));
        AssertRefused(result, $"{file}:4: data.label-column: {_folder.At("labels.csv")} has no column 'bred' (it has id, breed); ");
    }

    [Theory]
    [InlineData("a.tar", "expected a tar file, plain or compressed with gzip")]
    [InlineData("a.tar.gz", "expected a tar file, plain or compressed with gzip")]
    [InlineData("a.parquet", "expected a Parquet file")]
    [InlineData("a.csv", "expected text in UTF-8")]
    [InlineData("a.jpg", "expected a folder or a file ending in .csv")]
    public void DataCheck_PhotoUnderAnotherName_IsNamed(string name, string expected)
    {
        var photo = SamplePhotos.Photos("train", "dress").First();
        var file = _folder.Write(name, File.ReadAllBytes(photo));
        AssertRefused(Check(file), $"{file} is a JPEG photo; {expected}");
    }

    [Fact]
    public void Export_PhotoForAComparison_IsNamed()
    {
        var photo = SamplePhotos.Photos("train", "dress").First();
        AssertRefused(
            TransferProcess.Run("export", photo, "--out", _folder.At("x.onnx")),
            $"{photo} is a JPEG photo; expected a comparison (JSON)"
        );
    }

    [Fact]
    public void Csv_MissingAndRepeatedPhotos_AreListed()
    {
        foreach (var name in new[] { "a.jpg", "b, c.jpg" })
            _folder.Write(name, "x");
        var file = _folder.Write(
            "labels.csv",
            [.. Encoding.UTF8.Preamble, .. "id,label\r\na.jpg,cat\r\n\"b, c.jpg\",\"dog \"\"small\"\"\"\r\na.jpg,cat\r\ngone.jpg,cat\r\n"u8]
        );
        var result = Check(file);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("a.jpg named twice; the second line is ignored", Unwrapped(result.Output), StringComparison.Ordinal);
        Assert.Contains("gone.jpg left out: there is no such file in ", Unwrapped(result.Output), StringComparison.Ordinal);
        Assert.Contains("dog \"small\"", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Cifar_CutShort_SaysWhatLengthIsExpected() =>
        AssertRefused(Check(_folder.Write("data_batch_1.bin", new byte[3073 + 100])), "data_batch_1.bin");

    [Fact]
    public void Tar_MemberThatClimbsOut_IsRefused()
    {
        var file = _folder.At("photos.tar");
        using (var writer = new TarWriter(File.Create(file)))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "cats/../../evil.jpg") { DataStream = new MemoryStream([1]) });
        AssertRefused(Check(file), "photos.tar has a member 'cats/../../evil.jpg' that leads out of the archive");
    }

    [Fact]
    public void Parquet_WithoutImageBytes_SaysWhatIsExpected()
    {
        var set = SyntheticFeatureSet.Write(Path.Combine(_folder.Root, "set"), SyntheticFeatureSet.Photos(2, ["cat", "dog"], "train"));
        AssertRefused(
            Check(Path.Combine(set, "part-00000.parquet")),
            "part-00000.parquet has no image column (it has path, label, split, "
        );
    }

    [Fact]
    public void Extract_ACutThatIsNotThere_SuggestsTheNearest() =>
        AssertRefused(Extract("--cut", "featurs"), "no tensor 'featurs'; did you mean 'features'?");

    [Fact]
    public void Extract_AdaptivePoolingOfAVector_SaysWhy() =>
        AssertRefused(Extract("--cut", "penultimate", "--pooling", "adaptive:3x3"), "adaptive:3x3");

    [Fact]
    public void Extract_ABatchThatCannotBeFreed_RunsOneByOneAndSaysSo()
    {
        // Whatever is added here is a maximum over the batch: with many photos at once each gets another vector.
        var m = new SmallModel(16, "input", TensorProto.Types.DataType.Float, 4, 3, SmallModel.Size, SmallModel.Size);
        var pooled = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(m.Node("Add", pooled, m.Node("ReduceMax", [pooled], ("axes", new long[] { 0 }))), 8, SmallModel.Classes));
        var data = SamplePhotos.Copy(_folder.At("data"), 2, "hat", "shoes");
        var result = TransferProcess.Run("extract", "--data", data, "--model", m.Save(_folder), "--out", _folder.At("set"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("runs one photo at a time", result.Error, StringComparison.Ordinal);
        Assert.Contains("8 vectors", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_OfTheWrongContent_AreRefused()
    {
        var environment = Store("http://127.0.0.1:9/small.onnx");
        _folder.Write("models/small.onnx", "something else");
        AssertRefused(TransferProcess.RunIn(_folder.Root, environment, "models", "verify", "small"), "small.onnx");
        AssertRefused(
            TransferProcess.RunIn(
                _folder.Root,
                environment,
                "extract",
                "--data",
                SamplePhotos.Folder,
                "--model",
                "small",
                "--out",
                _folder.At("set")
            ),
            "small.onnx"
        );
    }

    [Fact]
    public void Models_WithoutNetwork_SayWhereToPutTheFile()
    {
        // Port 9 of this machine: nobody answers.
        var result = TransferProcess.RunIn(_folder.Root, Store("http://127.0.0.1:9/small.onnx"), "models", "pull", "small");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("transfer: ", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("or put the file (SHA-256 " + new string('a', 64), result.LastErrorLine, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private Dictionary<string, string> Store(string source)
    {
        _folder.Write(
            "models/small.yaml",
            $"""
            name: small
            file: small.onnx
            bytes: 14
            sha256: {new string('a', 64)}
            license: CC0-1.0
            sources:
              - {source}
            input: {"{size: 224, layout: nchw}"}
            preprocessing: {"{resize: 256, crop: 224, interpolation: bilinear, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}"}
            """
        );
        return new() { ["TRANSFER_MODELS"] = _folder.At("models") };
    }

    private static TransferResult Check(string data, params string[] more) =>
        TransferProcess.Run(["data", "check", "--data", data, .. more]);

    private TransferResult Extract(params string[] more) =>
        TransferProcess.Run([
            "extract",
            "--data",
            SamplePhotos.Folder,
            "--model",
            "efficientnet-lite0",
            "--out",
            _folder.At("set"),
            .. more,
        ]);

    private static string Unwrapped(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
