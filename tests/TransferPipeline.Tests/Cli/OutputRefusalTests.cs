namespace TransferPipeline.Tests.Cli;

/// <summary>A place that cannot take the results is refused before the work, in one line that names it.</summary>
public sealed class OutputRefusalTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _file;
    private readonly string _set;

    public OutputRefusalTests()
    {
        _file = _folder.Write("afile", "x");
        _set = SyntheticFeatureSet.Write(_folder.At("set"), SyntheticFeatureSet.Photos(6, ["cat", "dog"], "train", "validation"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("--dry-run")]
    public void Run_IntoAFile_IsRefusedByThePlanToo(string more)
    {
        string[] run = ["run", "pipelines/clothing-sample.yaml", "--out", _file, .. more.Length > 0 ? [more] : (string[])[]];
        var result = TransferProcess.RunIn(SharedData.Repository, null, run);
        Assert.Equal((2, $"transfer: {_file} is a file, expected a folder"), (result.ExitCode, result.LastErrorLine));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("--dry-run", 2)]
    public void Run_WithoutTheRight_IsRefusedByThePlanToo(string more, int exitCode)
    {
        var closed = Closed();
        var result = AsNobody(
            $"run {SharedData.Repository}/pipelines/clothing-sample.yaml --out {closed}/out {more}",
            SharedData.Repository
        );
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(Refusal($"{closed}/out"), result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compare --features SET --report CLOSED/r.html", "CLOSED/r.html")]
    [InlineData("train --features SET --head ridge --out CLOSED/c.onnx", "CLOSED/c.onnx")]
    [InlineData("features export SET --format npy --out CLOSED/x", "CLOSED/x.npy")]
    [InlineData("features merge SET --out CLOSED/merged", "CLOSED/merged")]
    [InlineData("init samples/clothing --out CLOSED/p.yaml", "CLOSED/p.yaml")]
    [InlineData("extract --data samples/clothing --model efficientnet-lite0 --out CLOSED/new", "CLOSED/new")]
    public void EveryOutput_WithoutTheRight_NamesItselfAndTheCure(string arguments, string target)
    {
        var closed = Closed();
        string Filled(string text) =>
            text.Replace("SET", _set, StringComparison.Ordinal).Replace("CLOSED", closed, StringComparison.Ordinal);

        var result = AsNobody(Filled(arguments), SharedData.Repository);
        Assert.Equal((1, "", Refusal(Filled(target))), (result.ExitCode, result.Output, result.Error.TrimEnd()));
    }

    /// <summary>A result never replaces what its command reads.</summary>
    [Theory]
    [InlineData("compare --features SET --heads ridge --report SET/manifest.json", "is the name of a file of the feature set in ")]
    [InlineData("train --features SET --head ridge --model MODEL --out SET/part-00000.parquet", "is the name of a file of the feature set")]
    [InlineData("train --features SET --head ridge --model MODEL --out MODEL", "is read by this command; choose another name")]
    [InlineData("train --features SET --head ridge --model MODEL --out link.onnx", "is read by this command; choose another name")]
    [InlineData("features export SET --format csv --out DIR/", "is a folder, expected a path with a name, such as out/vectors")]
    [InlineData("features export SET --format npy --out ..", "the prefix '..' is a folder, expected a path with a name")]
    public void EveryOutput_ThatIsAnInput_IsRefused(string arguments, string problem)
    {
        var model = _folder.At("model.onnx");
        File.Copy(Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx"), model);
        File.CreateSymbolicLink(_folder.At("link.onnx"), model);
        var before = File.ReadAllBytes(Path.Combine(_set, "manifest.json"));
        var words = arguments.Split(' ').Select(w => w.Replace("SET", _set).Replace("MODEL", model).Replace("DIR", _folder.Root));
        TransferResult.AssertRefused(TransferProcess.RunIn(_folder.Root, null, [.. words]), problem);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_set, "manifest.json")));
    }

    [Fact]
    public void Compare_ReportIntoAFolder_IsRefusedBeforeTheWork()
    {
        var result = TransferProcess.Run("compare", "--features", _set, "--heads", "ridge", "--report", _folder.Root);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Equal($"transfer: {_folder.Root} is a folder, expected the name of a file", result.LastErrorLine);
    }

    [Fact]
    public void Verify_File_IsSaidToBeOne() =>
        Assert.Equal(
            $"transfer: {_file} is a file, expected the folder of a feature set",
            TransferProcess.Run("features", "verify", _file).LastErrorLine
        );

    private string Refusal(string target) =>
        $"transfer: {target} cannot be written: there is no right to write into {_folder.At("closed")}; choose another place";

    /// <summary>A folder that is root's, as tests often are too.</summary>
    private string Closed()
    {
        var closed = Directory.CreateDirectory(_folder.At("closed")).FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.Root, (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(closed, (UnixFileMode)0b101_101_101);
        }

        return closed;
    }

    /// <summary>Root may write everywhere: where tests are run by root, the command is run by nobody.</summary>
    private static TransferResult AsNobody(string arguments, string folder)
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (Environment.UserName != "root")
            return TransferProcess.RunIn(folder, null, words);
        var result = TransferProcess.RunProgram(
            "setpriv",
            folder,
            new Dictionary<string, string> { ["HOME"] = "/nonexistent" },
            ["--reuid=65534", "--regid=65534", "--clear-groups", TransferProcess.Executable, .. words]
        );
        if (result.Error.StartsWith("setpriv:", StringComparison.Ordinal))
            Assert.Skip(result.Error.Trim());
        return result;
    }
}
