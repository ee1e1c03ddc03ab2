using System.Runtime.InteropServices;
using NetVips;
using TransferPipeline.Images;
using TransferPipeline.NetVips;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.NetVips;

public sealed unsafe class VipsLineCacheTests
{
    /// <summary>vips_line_cache_build keeps four times the number of lines that vips_get_tile_size gives.</summary>
    [Fact]
    public void Limit_LoaderOfAPhoto_KeepsFourTimesSixteenRows()
    {
        _ = VipsRuntime.Version;
        var library = NativeLibrary.Load(VipsRuntime.Library, typeof(Image).Assembly, null);
        var tileSize = (delegate* unmanaged<nint, int*, int*, int*, void>)NativeLibrary.GetExport(library, "vips_get_tile_size");
        using var image = Image.NewFromBuffer(Jpeg(64, 64), access: Enums.Access.Sequential);
        int width,
            height,
            lines;
        tileSize(image.DangerousGetHandle(), &width, &height, &lines);
        GC.KeepAlive(image);
        Assert.Equal(16, lines);
    }

    [Fact]
    public void Decode_TallJpeg_LastRowsEqualThoseOfThePart()
    {
        var (whole, part) = (new RgbImage(), new RgbImage());
        var encoded = Jpeg(40, 3000);
        var (decoder, preprocessor) = (TestDecoder.Of("libvips"), new Preprocessor(Preprocessing.ImageNet()));
        decoder.Decode(encoded, new(), whole);
        decoder.Decode(encoded, new(), part, preprocessor);
        var region = preprocessor.Region(40, 3000);
        Assert.InRange(region.Y, 1000, 2000);
        var (first, length) = (region.Y * 40 * 3, region.Height * 40 * 3);
        Assert.True(whole.Pixels.Slice(first, length).SequenceEqual(part.Pixels.Slice(first, length)));
        // Each row is of its own colours, so that a row which libvips no longer keeps would show.
        Assert.Equal(3000, Enumerable.Range(0, 3000).Count(y => Math.Abs(whole.Pixels[y * 120] - y % 251) < 40));
    }

    private static byte[] Jpeg(int width, int height)
    {
        var image = new RgbImage();
        image.Resize(width, height);
        for (var y = 0; y < height; y++)
            image.Pixels.Slice(y * width * 3, width * 3).Fill((byte)(y % 251));
        return TestDecoder.CreateEncoder().EncodeJpeg(image, 95);
    }
}
