using System.Net;
using System.Net.Http.Headers;

namespace TransferPipeline.Backbones.Store;

/// <summary>
/// One file on its way: NAME.part holds the bytes so far, NAME.part.source where they came from and that server's validator, so that a
/// later attempt can continue (RFC 9110, Range with If-Range). A wrong file never gets the model's name.
/// </summary>
internal sealed class ModelDownload : IDisposable
{
    /// <summary>Attempts in a row that bring not one byte, after which a source is abandoned.</summary>
    private const int MaxAttemptsWithoutProgress = 3;

    private const int BufferSize = 1 << 17;

    private readonly HttpClient _client;
    private readonly ModelManifest _manifest;
    private readonly IProgress<PullProgress>? _progress;
    private readonly string _partFile;
    private readonly string _sourceFile;
    private readonly FileStream _part;

    /// <exception cref="IOException">Another download of the same model is running, or the folder cannot be written.</exception>
    public ModelDownload(HttpClient client, string partFile, ModelManifest manifest, IProgress<PullProgress>? progress)
    {
        (_client, _partFile, _manifest, _progress) = (client, partFile, manifest, progress);
        _sourceFile = partFile + ".source";
        // FileShare.None locks the file: two downloads would mix their bytes.
        // Without a buffer Length is what the file holds.
        _part = new FileStream(partFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
    }

    /// <summary>Longest silence of a server; the whole download may take as long as it brings bytes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Wait before the second attempt at a source; doubled each time.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    public static HttpClient CreateClient()
    {
        var client = new HttpClient(
            // A body that is unpacked on the way has another length than its range.
            new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(15), AutomaticDecompression = DecompressionMethods.None }
        )
        {
            // Patience limits each silence; a limit on the whole would refuse slow lines.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(AssemblyVersion.Name, AssemblyVersion.Own));
        return client;
    }

    /// <summary>Downloads from one source until the file is whole and right.</summary>
    /// <returns>Null on success, else the reason why this source will not do.</returns>
    public async Task<string?> TryAsync(Uri source, CancellationToken cancellation)
    {
        var (fruitless, pause, restarted) = (0, Pause, false);
        while (true)
        {
            var before = _part.Length;
            var failure = await AttemptAsync(source, cancellation);
            if (failure is null && _part.Length == _manifest.Bytes)
            {
                var resumed = before > 0;
                if (WrongHash() is not { } wrong)
                    return null;
                Restart();
                // What was continued may have been another file's beginning: once more from the start.
                if (!resumed || restarted)
                    return wrong;
                restarted = true;
                continue;
            }

            if (failure is { Final: true })
                return failure.Reason;
            // Bytes start the count anew: a line that breaks every minute still finishes.
            fruitless = _part.Length > before ? 0 : fruitless + 1;
            if (fruitless >= MaxAttemptsWithoutProgress)
                return failure?.Reason ?? $"it ended after {_part.Length} of {_manifest.Bytes} bytes";
            if (fruitless > 0)
            {
                await Task.Delay(pause, cancellation);
                pause *= 2;
            }
        }
    }

    /// <summary>Gives the finished file its name.</summary>
    public void Commit(string target)
    {
        _part.Dispose();
        DurableFile.Commit(_partFile, target);
        File.Delete(_sourceFile);
    }

    public void Dispose()
    {
        _part.Dispose();
        if (File.Exists(_partFile) && new FileInfo(_partFile).Length == 0)
        {
            // An empty file continues nothing.
            File.Delete(_partFile);
            File.Delete(_sourceFile);
        }
    }

    private async Task<Failure?> AttemptAsync(Uri source, CancellationToken cancellation)
    {
        if (_part.Length >= _manifest.Bytes)
        {
            if (_part.Length == _manifest.Bytes && WrongHash() is null)
                return null;
            Restart();
        }

        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, source);
            Continue(request, source);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if (Accept(response, source) is { } refused)
                return refused;
            await using var body = await response.Content.ReadAsStreamAsync(silence.Token);
            var buffer = new byte[BufferSize];
            while (true)
            {
                silence.CancelAfter(Patience);
                var read = await body.ReadAsync(buffer, silence.Token);
                if (read == 0)
                    return null;
                if (_part.Length + read > _manifest.Bytes)
                {
                    Restart();
                    return new($"it sends more than the {_manifest.Bytes} bytes of the model", Final: true);
                }

                Write(buffer.AsSpan(0, read));
                _progress?.Report(new(_part.Length, _manifest.Bytes, source.Host));
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new($"no answer for {Patience.TotalSeconds:0} s", Final: false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // Broken connections and names that do not resolve just now are worth another try.
            // The inner exception has the socket's own words; HttpClient's are about sending a request.
            return new((e.InnerException ?? e).Message.ReplaceLineEndings(" ").TrimEnd('.'), Final: false);
        }
    }

    /// <summary>Requests the rest of what is here. Of another source's beginning only the hash shows whether it fits.</summary>
    private void Continue(HttpRequestMessage request, Uri source)
    {
        if (_part.Length == 0)
            return;
        request.Headers.Range = new RangeHeaderValue(_part.Length, null);
        var lines = File.Exists(_sourceFile) ? File.ReadAllLines(_sourceFile) : [];
        if (lines.Length < 2 || lines[0] != source.AbsoluteUri)
            return;
        // If-Range: where the file has changed, the server sends all of it with 200 and not a part of another file (RFC 9110, 13.1.5).
        if (EntityTagHeaderValue.TryParse(lines[1], out var tag))
            request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        else if (
            DateTimeOffset.TryParseExact(
                lines[1],
                "r",
                System.Globalization.CultureInfo.InvariantCulture,
                System.Globalization.DateTimeStyles.None,
                out var date
            )
        )
            request.Headers.IfRange = new RangeConditionHeaderValue(date);
    }

    /// <summary>Places the write position by what the server answered.</summary>
    private Failure? Accept(HttpResponseMessage response, Uri source)
    {
        var isPart = response.RequestMessage?.Headers.Range is not null;
        long? total;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent
                when isPart && response.Content.Headers.ContentRange is { From: { } from } range && from == _part.Length:
                total = range.Length ?? _manifest.Bytes;
                break;
            case HttpStatusCode.OK:
                // All of the file comes: no range was requested, ranges are ignored, or the file has changed.
                Restart();
                total = response.Content.Headers.ContentLength;
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                Restart();
                return new("it cannot continue the download", Final: false);
            case var status:
                // Overload and gateway trouble pass; the rest (404, 403, ...) is final.
                return new(
                    $"{(int)status} {response.ReasonPhrase}",
                    Final: status
                        is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError)
                );
        }

        if (total is { } bytes && bytes != _manifest.Bytes)
        {
            Restart();
            return new($"its file has {bytes} bytes, the model has {_manifest.Bytes}", Final: true);
        }

        // A weak validator does not promise equal bytes, which If-Range needs.
        var validator = response.Headers.ETag is { IsWeak: false } tag
            ? tag.ToString()
            : response.Content.Headers.LastModified?.ToString("r", System.Globalization.CultureInfo.InvariantCulture);
        // Before the first byte, so that an interrupted download knows whose beginning it has.
        File.WriteAllLines(_sourceFile, validator is null ? [source.AbsoluteUri] : [source.AbsoluteUri, validator]);
        _part.Position = _part.Length;
        return null;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _part.Write(bytes);
        }
        catch (IOException e)
        {
            // Not to be taken for a broken connection.
            throw new JobFailedException($"{_partFile}: cannot be written: {e.OneLine()}", e);
        }
    }

    private string? WrongHash()
    {
        _part.Flush();
        _part.Position = 0;
        var sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(_part));
        return sha256 == _manifest.Sha256 ? null : $"its file has the SHA-256 {sha256}, the model has {_manifest.Sha256}";
    }

    private void Restart()
    {
        _part.SetLength(0);
        _part.Position = 0;
    }

    private sealed record Failure(string Reason, bool Final);
}
