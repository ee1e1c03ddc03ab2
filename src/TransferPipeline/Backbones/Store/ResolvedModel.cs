using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>A backbone file that may be used: its hash is known, and so is its preprocessing.</summary>
/// <param name="Name">The manifest's name, or the file's without extension.</param>
/// <param name="Sha256">As <see cref="Backbone.Sha256"/>; part of the recipe.</param>
/// <param name="Manifest">Null for a file of which nothing is known but what <see cref="PreprocessingReason"/> states.</param>
internal sealed record ResolvedModel(string Name, string File, string Sha256, Preprocessing Preprocessing, ModelManifest? Manifest)
{
    /// <summary>The preprocessing in one line, with what states it.</summary>
    public string PreprocessingReason => Assumed ?? $"{AssumedPreprocessing.Describe(Preprocessing)} (the manifest of '{Manifest?.Name}')";

    /// <summary>The preprocessing of a file without a manifest, and why it is used; null with a manifest.</summary>
    internal string? Assumed { get; init; }

    /// <summary>Given as a file without a manifest beside it, and known to the store by its SHA-256.</summary>
    internal bool IsByHash { get; init; }

    /// <summary>
    /// What must be answered before vectors are made: the unit of the pixels, a configuration that cannot be followed; null when nothing is
    /// open.
    /// </summary>
    internal string? Question { get; init; }

    /// <summary>Open already for a model that was given as a file.</summary>
    internal Backbone? Backbone { get; init; }

    /// <summary>The request with the tensor's name in the place of the default cut, where the model has no classifier.</summary>
    /// <exception cref="UsageException">It is not clear which output is the feature.</exception>
    public CutRequest Explicit(CutRequest request) =>
        request.Cut != CutRequest.Penultimate ? request
        : Manifest is not { Cut.Length: > 0 } manifest ? Backbone?.Explicit(request) ?? request
        // The manifest names the vector; which output other poolings mean, only the file shows.
        : request.Pooling == Pooling.None ? request with { Cut = manifest.Cut }
        : (Backbone ?? Backbone.Open(File)).Explicit(request);

    /// <summary>What a user should know before vectors are made under these requests, one line each.</summary>
    /// <exception cref="UsageException">It is not clear which output is the feature.</exception>
    public IReadOnlyList<string> Notes(IEnumerable<CutRequest> requests)
    {
        var notes =
            Manifest is { Cut.Length: > 0 } || Backbone is null ? [] : requests.Select(Backbone.FeatureNote).OfType<string>().Distinct();
        var file = Path.GetFileName(File);
        return Assumed is not null ? [$"{file}: no manifest; preprocessing: {Assumed}", .. notes]
            : IsByHash ? [$"{file}: known by its SHA-256; preprocessing: {PreprocessingReason}", .. notes]
            : [.. notes];
    }
}
