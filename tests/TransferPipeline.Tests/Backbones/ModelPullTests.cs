using System.Collections.Concurrent;
using System.Security.Cryptography;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Downloads from a server on this machine that misbehaves in every way that servers do.</summary>
public sealed class ModelPullTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 + (i >> 8)))];
    private static readonly byte[] Wrong = [.. Content.Reverse()];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pull_WholeFile_IsVerifiedAndNamed()
    {
        using var server = new ScriptedServer((_, r) => ScriptedServer.Serve(Content, r));
        var seen = new ConcurrentQueue<PullProgress>();
        var file = await Pull([server.Url("m.onnx")], new Sink(seen));
        Assert.Equal(Content, File.ReadAllBytes(file));
        Assert.Equal(["m.onnx"], Directory.GetFiles(Path.GetDirectoryName(file)!).Select(Path.GetFileName));
        Assert.Equal((Content.Length, Content.Length), (seen.Last().Done, seen.Last().Total));
        Assert.Equal(file, await Pull([server.Url("m.onnx")]));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Pull_ConnectionCutAgainAndAgain_Resumes()
    {
        using var server = new ScriptedServer((n, r) => ScriptedServer.Serve(Content, r) with { CutAfter = n < 5 ? 40_000 : null });
        Assert.Equal(Content, File.ReadAllBytes(await Pull([server.Url("m.onnx")])));
        var requests = server.Requests.ToArray();
        Assert.Equal(6, requests.Length);
        Assert.All(requests.Skip(1), r => Assert.Equal("\"v1\"", r.IfRange));
        Assert.True(requests.Skip(1).All(r => r.From > 0), "a resumed request without a Range");
    }

    [Fact]
    public async Task Pull_InterruptedRun_ContinuesInTheNext()
    {
        using (
            var server = new ScriptedServer(
                (n, r) => n == 0 ? ScriptedServer.Serve(Content, r) with { CutAfter = 100_000 } : new Answer(404, [])
            )
        )
        {
            var error = await Assert.ThrowsAsync<JobFailedException>(() => Pull([server.Url("m.onnx")]));
            Assert.Contains("127.0.0.1: 404", error.Message);
            Assert.Contains("try again, or put the file (SHA-256 " + Sha256(Content), error.Message);
        }

        using var again = new ScriptedServer((_, r) => ScriptedServer.Serve(Content, r));
        Assert.Equal(Content, File.ReadAllBytes(await Pull([again.Url("m.onnx")])));
        Assert.Equal(100_000, Assert.Single(again.Requests).From);
    }

    [Fact]
    public async Task Pull_ServerWithoutRange_StartsAgain()
    {
        using var server = new ScriptedServer((n, _) => new Answer(200, Content) { CutAfter = n == 0 ? 50_000 : null });
        Assert.Equal(Content, File.ReadAllBytes(await Pull([server.Url("m.onnx")])));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Pull_FileChangedBetweenAttempts_TakesTheNewOneWhole()
    {
        // The first attempt gets the beginning of another version; If-Range makes the server send the new one from its start.
        using var server = new ScriptedServer(
            (n, r) =>
                n == 0 ? ScriptedServer.Serve(Wrong, r, "\"old\"") with { CutAfter = 60_000 } : ScriptedServer.Serve(Content, r, "\"new\"")
        );
        Assert.Equal(Content, File.ReadAllBytes(await Pull([server.Url("m.onnx")])));
    }

    [Fact]
    public async Task Pull_ResumedOnAWrongBeginning_StartsOnceMoreFromScratch()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Root, "store"));
        File.WriteAllBytes(Path.Combine(_folder.Root, "store", "m.onnx.part"), Wrong[..70_000]);
        using var server = new ScriptedServer((_, r) => ScriptedServer.Serve(Content, r));
        Assert.Equal(Content, File.ReadAllBytes(await Pull([server.Url("m.onnx")])));
        Assert.Equal([70_000, null], server.Requests.Select(r => r.From));
    }

    [Fact]
    public async Task Pull_WrongBytes_AreThrownAway()
    {
        using var server = new ScriptedServer((_, r) => ScriptedServer.Serve(Wrong, r));
        var error = await Assert.ThrowsAsync<JobFailedException>(() => Pull([server.Url("m.onnx")]));
        Assert.Contains("its file has the SHA-256 " + Sha256(Wrong), error.Message);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Root, "store")));
    }

    [Fact]
    public async Task Pull_SecondSource_ServesWhereTheFirstFails()
    {
        using var bad = new ScriptedServer((_, r) => ScriptedServer.Serve(Wrong, r));
        using var gone = new ScriptedServer((_, _) => new Answer(403, []));
        using var good = new ScriptedServer((_, r) => ScriptedServer.Serve(Content, r));
        Assert.Equal(Content, File.ReadAllBytes(await Pull([bad.Url("m.onnx"), gone.Url("m.onnx"), good.Url("m.onnx")])));
    }

    [Theory]
    [InlineData(299_999)]
    [InlineData(300_001)]
    public async Task Pull_LengthThatIsNotTheManifests_IsRefused(int length)
    {
        using var server = new ScriptedServer((_, _) => new Answer(200, Content) { ClaimedLength = length });
        var error = await Assert.ThrowsAsync<JobFailedException>(() => Pull([server.Url("m.onnx")]));
        Assert.Contains($"its file has {length} bytes, the model has 300000", error.Message);
    }

    [Fact]
    public async Task Pull_AnswerThatEndsEarly_SaysSo()
    {
        using var server = new ScriptedServer(
            (_, r) => new Answer(206, []) { ClaimedLength = 0, Headers = [$"Content-Range: bytes {r.From ?? 0}-299999/300000"] }
        );
        var error = await Assert.ThrowsAsync<JobFailedException>(() => Pull([server.Url("m.onnx")]));
        Assert.Contains("cannot continue the download", error.Message);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Pull_OverloadedServer_IsAskedAgain()
    {
        using var server = new ScriptedServer((n, r) => n < 2 ? new Answer(503, []) : ScriptedServer.Serve(Content, r));
        Assert.Equal(Content, File.ReadAllBytes(await Pull([server.Url("m.onnx")])));
    }

    [Fact]
    public async Task Pull_SilentServer_IsGivenUp()
    {
        using var server = new ScriptedServer(
            (_, r) => ScriptedServer.Serve(Content, r) with { CutAfter = 0, Silence = TimeSpan.FromSeconds(0.6) }
        );
        using var client = ModelDownload.CreateClient();
        using var download = new ModelDownload(client, _folder.At("m.onnx.part"), Manifest([]), null)
        {
            Patience = TimeSpan.FromSeconds(0.2),
            Pause = TimeSpan.Zero,
        };
        Assert.Contains("no answer", await download.TryAsync(new Uri(server.Url("m.onnx")), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Pull_NoNetwork_SaysWhereToPutTheFile()
    {
        // Port 1 of this machine refuses connections.
        var error = await Assert.ThrowsAsync<JobFailedException>(() => Pull(["http://127.0.0.1:1/m.onnx"]));
        Assert.Contains("could not be downloaded (127.0.0.1: ", error.Message);
        Assert.Contains(Path.Combine(_folder.Root, "store", "m.onnx"), error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Root, "store")));
    }

    [Fact]
    public async Task Pull_ModelWithoutAddress_SaysWhereToPutTheFile()
    {
        var error = await Assert.ThrowsAsync<UsageException>(() => Pull([]));
        Assert.Contains("no public address; put the file", error.Message);
    }

    [Fact]
    public async Task Pull_TwiceAtOnce_IsRefused()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Root, "store"));
        using var other = new FileStream(
            Path.Combine(_folder.Root, "store", "m.onnx.part"),
            FileMode.Create,
            FileAccess.Write,
            FileShare.None
        );
        await Assert.ThrowsAsync<JobFailedException>(() => Pull(["http://127.0.0.1:1/m.onnx"]));
    }

    [Fact]
    public async Task Pull_Mirror_IsAskedFirst()
    {
        using var mirror = new ScriptedServer((_, r) => ScriptedServer.Serve(Content, r));
        var sources = ModelStore.Sources(Manifest(["http://127.0.0.1:1/elsewhere"]), mirror.Url("models/"));
        Assert.Equal([mirror.Url("models/m.onnx"), "http://127.0.0.1:1/elsewhere"], sources.Select(s => s.AbsoluteUri));
        Assert.Contains("expected an http", Assert.Throws<UsageException>(() => ModelStore.Sources(Manifest([]), "ftp://x")).Message);
        Assert.Equal(Content, File.ReadAllBytes(await Pull([.. sources.Select(s => s.AbsoluteUri)])));
        Assert.Equal("/models/m.onnx", Assert.Single(mirror.Requests).Path);
    }

    private static ModelManifest Manifest(string[] sources) =>
        new()
        {
            Name = "m",
            File = "m.onnx",
            Bytes = Content.Length,
            Sha256 = Sha256(Content),
            License = "MIT",
            Sources = sources,
            InputSize = 224,
            Preprocessing = Preprocessing.ImageNet(),
        };

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private Task<string> Pull(string[] sources, IProgress<PullProgress>? progress = null)
    {
        _folder.Write(Path.Combine("builtin", "m.yaml"), ManifestYaml.Write(Manifest(sources)));
        var store = new ModelStore(Path.Combine(_folder.Root, "builtin"), Path.Combine(_folder.Root, "store"))
        {
            PullPause = TimeSpan.FromMilliseconds(10),
        };
        return store.PullAsync("m", progress, TestContext.Current.CancellationToken);
    }

    private sealed class Sink(ConcurrentQueue<PullProgress> seen) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => seen.Enqueue(value);
    }
}
