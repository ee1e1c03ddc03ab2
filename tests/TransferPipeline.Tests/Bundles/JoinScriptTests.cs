using TransferPipeline.Tests.Cli;

namespace TransferPipeline.Tests.Bundles;

/// <summary>build/cut and the join.sh that it puts beside the pieces, as a box with another shell would run it.</summary>
public sealed class JoinScriptTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("sh")]
    [InlineData("busybox")]
    public void Join_OfAllPieces_Unpacks(string shell)
    {
        var made = Cut("first", 1);
        var joined = Join(shell);
        Assert.True(joined.ExitCode == 0, joined.Error);
        Assert.Equal($"ready: {_folder.At("parcel.pieces")}/parcel/transfer doctor\n", joined.Output);
        Assert.Equal(made, File.ReadAllBytes(_folder.At("parcel.pieces", "parcel", "transfer")));
        // The pieces stay, what was joined of them does not.
        Assert.Equal(["000", "001", "002"], Directory.GetFiles(_folder.At("parcel.pieces"), "parcel.tar.gz*").Order().Select(f => f[^3..]));
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("busybox")]
    public void Join_OfAPieceThatIsDamagedOrMissing_NamesIt(string shell)
    {
        Cut("first", 1);
        var piece = _folder.At("parcel.pieces", "parcel.tar.gz.001");
        var bytes = File.ReadAllBytes(piece);
        bytes[5] ^= 1;
        File.WriteAllBytes(piece, bytes);
        Fails(shell, "parcel.tar.gz.001", "a piece is missing or damaged: carry the pieces named above again");
        File.Delete(piece);
        Fails(shell, "parcel.tar.gz.001", "a piece is missing or damaged: carry the pieces named above again");
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("busybox")]
    public void Join_OfPiecesOfTwoBuilds_SaysSo(string shell)
    {
        Cut("first", 1);
        var old = _folder.At("parcel.pieces");
        Directory.Move(old, _folder.At("old"));
        Cut("second", 2);
        foreach (var file in (string[])["parcel.tar.gz.000", "parcel.tar.gz.001", "parcel.tar.gz.002", "SHA256SUMS"])
            File.Copy(_folder.At("old", file), Path.Combine(old, file), overwrite: true);
        Fails(shell, "", "pieces of two builds are mixed");
    }

    private void Fails(string shell, string piece, string message)
    {
        var joined = Join(shell);
        Assert.Equal(1, joined.ExitCode);
        Assert.Contains(piece, joined.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("parcel.tar.gz.000", joined.Error, StringComparison.Ordinal);
        Assert.Contains(message, joined.LastErrorLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("parcel.pieces", "parcel")));
        Assert.False(File.Exists(_folder.At("parcel.pieces", "parcel.tar.gz")));
    }

    /// <summary>An archive of 2.4 MB that does not compress, in pieces of 1 MB.</summary>
    private byte[] Cut(string content, int seed)
    {
        UnixTools.Require();
        var bytes = new byte[2_400_000];
        new Random(seed).NextBytes(bytes);
        _folder.Write("parcel/transfer", bytes);
        _folder.Write("parcel/content", content);
        Must(TransferProcess.RunProgram("tar", _folder.Root, null, "-czf", "parcel.tar.gz", "parcel"));
        Must(TransferProcess.RunProgram(Path.Combine(SharedData.Repository, "build", "cut"), _folder.Root, null, "parcel.tar.gz", "1"));
        return bytes;
    }

    private TransferResult Join(string shell)
    {
        var script = _folder.At("parcel.pieces", "join.sh");
        if (shell == "sh")
            return TransferProcess.RunProgram("sh", _folder.Root, null, script);
        var busybox = ((string[])["/bin/busybox", "/usr/bin/busybox"]).FirstOrDefault(File.Exists);
        if (busybox is null)
            Assert.Skip("needs busybox");
        // Nothing but busybox on the path.
        var tools = _folder.At("tools", "sh");
        if (!File.Exists(tools))
            Must(TransferProcess.RunProgram(busybox, _folder.Root, null, "--install", "-s", Path.GetDirectoryName(tools)!));
        return TransferProcess.RunProgram(
            tools,
            _folder.Root,
            new Dictionary<string, string> { ["PATH"] = Path.GetDirectoryName(tools)! },
            script
        );
    }

    private static void Must(TransferResult result) => Assert.True(result.ExitCode == 0, result.Error);
}
