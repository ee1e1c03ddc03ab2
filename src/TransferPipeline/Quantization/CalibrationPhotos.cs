namespace TransferPipeline.Quantization;

/// <summary>Photos as a network's input.</summary>
/// <param name="Count">Number of photos.</param>
/// <param name="CreateReader">Makes one thread's reader: it writes the pixels of a photo.</param>
internal sealed record CalibrationPhotos(int Count, Func<PixelReader> CreateReader)
{
    /// <summary>The first photos of these.</summary>
    public CalibrationPhotos First(int count) => this with { Count = Math.Min(count, Count) };
}

/// <summary>Writes the normalized pixels of photo <paramref name="photo"/>.</summary>
internal delegate void PixelReader(int photo, Span<float> pixels);
