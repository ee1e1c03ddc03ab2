using System.Buffers.Binary;
using TransferPipeline.Images;

namespace Extensions;

/// <summary>Decodes farbfeld pictures: 8 letters, width and height, then four 16-bit values per pixel, all big-endian.</summary>
public sealed class FarbfeldDecoder : IImageDecoder
{
    private const int Header = 16;

    public string Name => "farbfeld 1";

    public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        if (encoded.Length < Header || !encoded.StartsWith("farbfeld"u8))
            throw new ImageDecodeException("not a farbfeld picture");
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(encoded[8..]), BinaryPrimitives.ReadUInt32BigEndian(encoded[12..]));
        if (width == 0 || height == 0 || !options.Allows(width, height))
            throw new ImageDecodeException($"{width} x {height} pixels; the limit is {options.MaxPixels}");
        if (encoded.Length != Header + 8L * width * height)
            throw new ImageDecodeException($"{encoded.Length} bytes, expected {Header + 8L * width * height}");
        destination.Resize((int)width, (int)height);
        var pixels = destination.Pixels;
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = encoded[Header + i / 3 * 8 + i % 3 * 2];
    }
}
