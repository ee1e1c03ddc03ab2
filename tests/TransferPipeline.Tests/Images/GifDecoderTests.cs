using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

public sealed class GifDecoderTests
{
    /// <summary>Pillow 9.4 takes the screen's colours for a frame whose own table is the grey levels from 0 on.</summary>
    [Fact]
    public void Decode_GreyTableOfTheFrameBesideAnotherTable_IsRefused()
    {
        var reason = Assert.Throws<ImageDecodeException>(() => Decode(screenHasColors: true, frame: [0, 0, 0, 1, 1, 1]));
        Assert.Contains("a palette of the grey levels from 0 on beside another palette", reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_TableOfTheFrame_ReplacesTheScreens()
    {
        Assert.Equal([0, 0, 0, 1, 1, 1], Decode(screenHasColors: false, frame: [0, 0, 0, 1, 1, 1]));
        Assert.Equal([7, 8, 9, 1, 1, 1], Decode(screenHasColors: true, frame: [7, 8, 9, 1, 1, 1]));
    }

    /// <summary>Two pixels of colours 0 and 1, whose codes of three bits are clear, 0, 1 and end.</summary>
    private static byte[] Decode(bool screenHasColors, byte[] frame)
    {
        byte[] screen = screenHasColors ? [2, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 200, 100, 50] : [2, 0, 1, 0, 0, 0, 0];
        byte[] encoded = [.. "GIF89a"u8, .. screen, .. ","u8, 0, 0, 0, 0, 2, 0, 1, 0, 0x80, .. frame, 2, 2, 0x44, 0x0A, 0, .. ";"u8];
        var image = new RgbImage();
        GifDecoder.Decode(encoded, new DecodeOptions(), image);
        return image.Pixels.ToArray();
    }
}
