using TransferPipeline.Images;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>What libjpeg-turbo has to decode so that the pixels of a region come out as those of the whole photo.</summary>
internal static class DecodedPart
{
    /// <summary>
    /// Pixels across that one block of all components (iMCU) covers, by TJSAMP: 4:4:4, 4:2:2, 4:2:0, grey, 4:4:0, 4:1:1, 4:4:1.
    /// </summary>
    private static readonly int[] BlockWidths = [8, 16, 16, 8, 8, 32, 8];

    /// <summary>Colour is smoothed between neighbours, which the outermost columns of a part lack.</summary>
    private const int Margin = 2;

    /// <param name="region">Inside the photo.</param>
    /// <param name="subsampling">TJSAMP_...; -1 for an uncommon one, of which no part can be decoded.</param>
    public static PixelBox Of(PixelBox region, int width, int height, int subsampling)
    {
        if (subsampling < 0 || subsampling >= BlockWidths.Length)
            return new(0, 0, width, height);

        // A part begins where a block does.
        var block = BlockWidths[subsampling];
        var left = Math.Max(0, region.X - Margin) / block * block;
        var right = Math.Min(width, region.X + region.Width + Margin);
        // Rows need no margin: libjpeg-turbo keeps the context rows of those that it skips.
        return new(left, region.Y, right - left, region.Height);
    }
}
