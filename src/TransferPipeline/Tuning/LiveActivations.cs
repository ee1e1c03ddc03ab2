using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>Activations of photos computed at each request, so that every epoch has copies of its own.</summary>
internal sealed class LiveActivations : IActivationSource
{
    private readonly PhotoPass _pass;
    private readonly bool _hasCopies;

    /// <param name="spec">The dataset, its decoder and the copies.</param>
    /// <param name="lower">The part below the cut, or null where the pixels themselves are trained on.</param>
    public LiveActivations(ExtractionSpec spec, DividedBackbone divided, CutModel? lower, IReadOnlyList<FeatureRow> photos, int threads)
    {
        _pass = new(spec, lower, divided.Lower.Layout, photos, threads);
        (_hasCopies, Values) = (spec.Views is not null, divided.Input.Values);
    }

    public int Values { get; }

    /// <summary>Photos as they are where there are no copies.</summary>
    // Copy 0 is the photo as it is. A copy's number determines its pixels, so a resumed epoch renders the same.
    public int CopyFor(int photo, int place, int epoch) => _hasCopies ? epoch + 1 : 0;

    public void Read(IReadOnlyList<(int Photo, int Copy)> wanted, Span<float> to)
    {
        // A span cannot be captured by the threads' delegate.
        var made = new float[wanted.Count * Values];
        _pass.Run(
            wanted,
            (i, pixels, runner) => (runner is null ? pixels : runner.Vectors(0).Row(0)).CopyTo(made.AsSpan(i * Values, Values))
        );
        made.CopyTo(to);
    }

    public void Dispose() => _pass.Dispose();
}
