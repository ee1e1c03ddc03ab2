namespace TransferPipeline.Images;

/// <summary>
/// One axis of a centre crop: of the resized photo <see cref="Kept"/> positions from <see cref="From"/> go to <see cref="To"/> on.
/// </summary>
internal readonly record struct CropSpan(int From, int Kept, int To, int Size)
{
    /// <summary>
    /// torchvision's center_crop: half to even where it crops, the smaller half first where it pads; 0 keeps all.
    /// </summary>
    /// <param name="roundsDown">Hugging Face's: (size - crop) // 2, so that the larger half comes first where it pads.</param>
    public static CropSpan Centre(int size, int crop, bool roundsDown)
    {
        if (crop == 0)
            return new CropSpan(0, size, 0, size);
        if (crop > size)
            return new CropSpan(0, size, (crop - size + (roundsDown ? 1 : 0)) / 2, crop);
        var from = roundsDown ? (size - crop) / 2 : (int)Math.Round((size - crop) / 2.0, MidpointRounding.ToEven);
        return new CropSpan(from, crop, 0, crop);
    }
}

/// <summary>What a photo is resized to, and which part of that goes where.</summary>
internal readonly record struct CropPlan(int ResizedWidth, int ResizedHeight, CropSpan Across, CropSpan Down)
{
    public int Width => Across.Size;

    public int Height => Down.Size;

    public int Left => Across.To;

    public int Top => Down.To;

    /// <summary>The crop is larger than the photo on one axis at least.</summary>
    public bool IsPadded => Across.Kept < Across.Size || Down.Kept < Down.Size;

    public PixelBox Keep => new(Across.From, Down.From, Across.Kept, Down.Kept);
}
