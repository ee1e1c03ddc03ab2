namespace TransferPipeline.Backbones.Store;

internal sealed partial class ModelStore
{
    /// <summary>
    /// Address of a folder that holds models under their manifests' file names; it is tried before a manifest's own sources:
    /// TRANSFER_MIRROR=https://files.example/models serves resnet50 as https://files.example/models/resnet50.onnx.
    /// </summary>
    public const string MirrorVariable = "TRANSFER_MIRROR";

    /// <summary>Wait after an attempt that brought nothing.</summary>
    internal TimeSpan PullPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Downloads a model into the user's store: resumes what an earlier attempt left, checks length and SHA-256, and only then gives the
    /// file its name. A file that is already here is verified and kept. Proxies are those of the environment (https_proxy, no_proxy).
    /// </summary>
    /// <returns>The full path of the verified file.</returns>
    /// <exception cref="UsageException">There is no such model, or it has no source.</exception>
    /// <exception cref="JobFailedException">No source gave the right file: each one's reason, and where to put the file by
    /// hand.</exception>
    public async Task<string> PullAsync(string name, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        var entry = Find(name);
        if (entry.File is not null)
            return Verify(name);
        var manifest = entry.Manifest;
        var sources = Sources(manifest, Environment.GetEnvironmentVariable(MirrorVariable));
        if (sources.Count == 0)
            Throw.Usage($"model '{name}' has no public address; {ByHand(manifest)}");

        var target = Path.Combine(UserFolder, manifest.File);
        using var client = ModelDownload.CreateClient();
        try
        {
            Directory.CreateDirectory(UserFolder);
            using var download = new ModelDownload(client, target + ".part", manifest, progress) { Pause = PullPause };
            var reasons = new List<string>();
            foreach (var source in sources)
            {
                if (await download.TryAsync(source, cancellation) is { } reason)
                {
                    reasons.Add($"{source.Host}: {reason}");
                    continue;
                }

                download.Commit(target);
                return target;
            }

            throw new JobFailedException(
                $"model '{name}' could not be downloaded ({string.Join("; ", reasons)}); try again, or {ByHand(manifest)}"
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{target}: cannot be written: {e.OneLine()}", e);
        }
    }

    internal static List<Uri> Sources(ModelManifest manifest, string? mirror)
    {
        var sources = manifest.Sources.Select(s => new Uri(s)).ToList();
        if (string.IsNullOrEmpty(mirror))
            return sources;
        if (
            // A file's name may contain characters that mean something else in an address, such as # and ?.
            !Uri.TryCreate(mirror.TrimEnd('/') + '/' + Uri.EscapeDataString(manifest.File), UriKind.Absolute, out var address)
            || address.Scheme is not ("http" or "https")
        )
            throw new UsageException($"{MirrorVariable} is '{mirror}'; expected an http or https address");
        return [address, .. sources];
    }
}

/// <summary>How far a download is.</summary>
/// <param name="Done">Bytes that are here, those of earlier attempts included.</param>
/// <param name="Total">Bytes of the whole file.</param>
/// <param name="Host">Where they come from.</param>
internal readonly record struct PullProgress(long Done, long Total, string Host);
