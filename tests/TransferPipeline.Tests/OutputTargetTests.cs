using System.Diagnostics;
using TransferPipeline.Features;
using TransferPipeline.Tests.Cli;

namespace TransferPipeline.Tests;

/// <summary>Results go to devices, pipes and through links without replacing them; messages may have nowhere to go.</summary>
public sealed class OutputTargetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("null", 0)]
    [InlineData("full", 1)]
    public void Report_ToADevice_LeavesTheDevice(string device, int exitCode)
    {
        var target = Device(device);
        var result = TransferProcess.Run("compare", "--features", Set(), "--heads", "ridge", "--report", target);
        Assert.Equal(exitCode, result.ExitCode);
        if (exitCode == 1)
            Assert.Contains("No space left on device", result.LastErrorLine, StringComparison.Ordinal);
        Assert.True(OutputTarget.IsSpecial(target));
    }

    [Fact]
    public async Task Report_ToAPipe_IsReadAtItsOtherEnd()
    {
        var pipe = _folder.Pipe("pipe");
        using var reader = Process.Start(new ProcessStartInfo("cat", [pipe]) { RedirectStandardOutput = true })!;
        var page = reader.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, TransferProcess.Run("compare", "--features", Set(), "--heads", "ridge", "--report", pipe).ExitCode);
        Assert.StartsWith("<!DOCTYPE html>", await page, StringComparison.OrdinalIgnoreCase);
        await reader.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(OutputTarget.IsSpecial(pipe));
        Assert.Equal(
            ["pipe", "set"],
            Directory.EnumerateFileSystemEntries(_folder.Root).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Report_ThroughALink_IsWrittenWhereItLeads()
    {
        _folder.Write("elsewhere/old.html", "old");
        foreach (var (link, target) in new[] { ("link.html", "elsewhere/old.html"), ("new.html", "elsewhere/new.html") })
        {
            File.CreateSymbolicLink(_folder.At(link), target);
            Assert.Equal(0, TransferProcess.Run("compare", "--features", Set(), "--heads", "ridge", "--report", _folder.At(link)).ExitCode);
            Assert.Equal(target, new FileInfo(_folder.At(link)).LinkTarget);
            Assert.Null(new FileInfo(_folder.At(target)).LinkTarget);
            Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(_folder.At(target)), StringComparison.OrdinalIgnoreCase);
        }
    }

    /// <summary>A name that the system refuses would lose the work when it is given; the one that is written first is longer.</summary>
    [Theory]
    [InlineData(300)]
    [InlineData(250)]
    public void RequireFile_ANameTooLong_IsRefusedBeforeTheWork(int length)
    {
        var file = _folder.At(new string('x', length));
        var error = Assert.Throws<JobFailedException>(() => OutputTarget.RequireFile(file));
        Assert.Equal($"{file} cannot be written: its name is too long; choose a shorter one", error.Message);
        OutputTarget.RequireFile(_folder.At(new string('x', 100)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void RemoveAbandoned_LeavesFilesOfRunningProcessesAndOthers()
    {
        var ended = EndedProcess();
        var machine = Environment.MachineName;
        var left = _folder.Write($"c.onnx.{machine}-{ended}.tmp", "of a process that was killed");
        string[] others =
        [
            OutputTarget.OwnTemporary(_folder.Write("c.onnx", "the target")),
            _folder.Write($"other.onnx.{machine}-{ended}.tmp", "of another target"),
            _folder.Write($"c.onnx.{machine}2-{ended}.tmp", "of another machine, on which it may run"),
            _folder.Write("c.onnx.mine.tmp", "a user's"),
            _folder.At("c.onnx"),
            _folder.Write("c.onnx.tmp", "without a process"),
        ];
        File.WriteAllText(others[0], "of this process");
        OutputTarget.RemoveAbandoned(_folder.At("c.onnx"));
        Assert.False(File.Exists(left));
        Assert.All(others, other => Assert.True(File.Exists(other), other));
        OutputTarget.RemoveAbandoned(Path.Combine(_folder.Root, "missing", "c.onnx"));
    }

    /// <summary>Under one name for both, each would commit what the other has half written.</summary>
    [Fact]
    public void DurableFile_WhileAnotherProcessWritesTheSame_HasATemporaryOfItsOwn()
    {
        var ended = EndedProcess();
        var left = _folder.Write($"r.html.{Environment.MachineName}-{ended}.tmp", "of a process that was killed");
        var other = _folder.Write($"r.html.{Environment.MachineName}-1.tmp", "half of what another process");
        var shared = _folder.Write("r.html.tmp", "half of what an older program");
        DurableFile.WriteText(_folder.At("r.html"), "whole");
        Assert.Equal("whole", File.ReadAllText(_folder.At("r.html")));
        Assert.Equal("half of what another process", File.ReadAllText(other));
        Assert.Equal("half of what an older program", File.ReadAllText(shared));
        Assert.False(File.Exists(left));
    }

    [Fact]
    public void DurableFile_OfEveryKind_IsWrittenAndNothingIsLeft()
    {
        var file = _folder.Write("a.txt", "old");
        DurableFile.WriteText(file, "new");
        Assert.Equal("new", File.ReadAllText(file));
        var device = Device("null");
        DurableFile.WriteText(device, "gone");
        Assert.True(OutputTarget.IsSpecial(device));
        Assert.False(OutputTarget.IsSpecial(file));
        Assert.False(OutputTarget.IsSpecial(_folder.Root));
        Assert.False(OutputTarget.IsSpecial(_folder.At("nothing")));
        Assert.Equal([file], Directory.GetFiles(_folder.Root));
    }

    /// <summary>/dev/full takes no byte, as a full disk: what is lost there are messages, not the job.</summary>
    [Theory]
    [InlineData("heads", 0)]
    [InlineData("data check --data samples/clothing", 0)]
    [InlineData("data check --data nowhere", 2)]
    [InlineData("nonsense", 2)]
    public void Messages_OnAFullDisk_DoNotEndTheJob(string arguments, int exitCode)
    {
        var whole = Shell($"\"$0\" {arguments}");
        var full = Shell($"\"$0\" {arguments} 2>/dev/full");
        var closed = Shell($"\"$0\" {arguments} 2>&-");
        Assert.Equal((exitCode, whole.Output, ""), (full.ExitCode, full.Output, full.Error));
        Assert.Equal((exitCode, whole.Output), (closed.ExitCode, closed.Output));
    }

    [Theory]
    [InlineData("data check --data samples/clothing --json")]
    [InlineData("heads")]
    [InlineData("heads --help")]
    [InlineData("completion bash")]
    [InlineData("'[suggest:11]' 'transfer he'")]
    public void Results_ThatCannotBeWritten_AreAFailedJobThatNamesStdout(string arguments)
    {
        var full = Shell($"\"$0\" {arguments} >/dev/full");
        var closed = Shell($"\"$0\" {arguments} >&-");
        Assert.Equal((1, "transfer: stdout cannot be written: No space left on device\n"), (full.ExitCode, full.Error));
        Assert.Equal((1, "transfer: stdout cannot be written: it is closed\n"), (closed.ExitCode, closed.Error));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(255)]
    public void OpenFiles_TooFewForDotNet_AreNamedInOneLine(int limit)
    {
        var result = Shell($"ulimit -n {limit}; \"$0\" heads");
        Assert.Equal(
            (1, "", $"transfer: a process may open {limit} files here, expected at least 256; raise the limit (ulimit -n)\n"),
            (result.ExitCode, result.Output, result.Error)
        );
        Assert.Equal(
            0,
            Shell("ulimit -n 256; \"$0\" extract --data samples/clothing --model efficientnet-lite0 --out \"$1/set\"").ExitCode
        );
    }

    [Fact]
    public void AddressSpace_TooSmallForDotNet_IsNamedInOneLine()
    {
        const string Extract = "\"$0\" extract --data samples/clothing --model efficientnet-lite0 --out \"$1/set\"";
        var result = Shell("ulimit -v 2000000; " + Extract);
        Assert.Equal(
            (
                1,
                "",
                "transfer: a process may use 2000000 KiB of address space here, expected at least 3500000; raise the limit (ulimit -v)\n"
            ),
            (result.ExitCode, result.Output, result.Error)
        );
        Assert.Equal(0, Shell("ulimit -v 8000000; " + Extract).ExitCode);
    }

    private TransferResult Shell(string script)
    {
        UnixTools.RequireLinux();
        return TransferProcess.RunProgram("/bin/bash", SharedData.Repository, null, "-c", script, TransferProcess.Executable, _folder.Root);
    }

    private static int EndedProcess()
    {
        using var ended = Process.Start(new ProcessStartInfo(TransferProcess.Executable, "--help") { RedirectStandardOutput = true })!;
        ended.StandardOutput.ReadToEnd();
        ended.WaitToEnd();
        return ended.Id;
    }

    private string Set()
    {
        var set = _folder.At("set");
        return Directory.Exists(set)
            ? set
            : SyntheticFeatureSet.Write(set, SyntheticFeatureSet.Photos(6, ["cat", "dog"], "train", "validation"));
    }

    /// <summary>A device of the test's own where root may make one: if the program were wrong, the machine's would be lost.</summary>
    private string Device(string name)
    {
        UnixTools.RequireLinux();
        if (Environment.UserName != "root")
            return Path.Combine("/dev", name);
        var device = _folder.At("dev", name);
        using var make = Process.Start(
            new ProcessStartInfo("mknod", ["-m", "666", device, "c", "1", name == "null" ? "3" : "7"]) { RedirectStandardError = true }
        )!;
        make.WaitToEnd();
        try
        {
            using var opened = File.OpenHandle(device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"no device can be made here: {e.Message}");
        }

        return device;
    }
}
