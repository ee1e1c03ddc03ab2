using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

public sealed class BmpDecoderTests
{
    public static TheoryData<string> Bitmaps =>
        [
            .. Directory
                .GetFiles(Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats"), "*.bmp")
                .Select(file => Path.GetFileName(file)),
        ];

    /// <summary>Pillow 9.4 reads such a file from behind header, masks and palette.</summary>
    [Theory]
    [MemberData(nameof(Bitmaps))]
    public void Decode_OffsetOfPixelsThatIsZero_IsThatBehindThePalette(string name)
    {
        var encoded = File.ReadAllBytes(Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats", name));
        var (expected, actual) = (new RgbImage(), new RgbImage());
        BmpDecoder.Decode(encoded, new DecodeOptions(), expected);
        encoded.AsSpan(10, 4).Clear();
        BmpDecoder.Decode(encoded, new DecodeOptions(), actual);
        Assert.Equal(expected.Pixels, actual.Pixels);
    }
}
