using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Every kind of file that PIL reads gives PIL's RGB; the expected hashes are Pillow's (Formats/make.py).</summary>
public sealed class PhotoFormatTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");

    public static TheoryData<string> Rows => [.. File.ReadAllLines(Path.Combine(Folder, "expected.tsv")).Skip(1).Where(row => TestDecoder.IsExact(row.Split('\t')[0]))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decode_any_format_gives_PILs_pixels(string row)
    {
        var cells = row.Split('\t');
        var image = TestDecoder.Decode(Path.Combine(Folder, cells[0]));
        Assert.Equal((int.Parse(cells[1]), int.Parse(cells[2])), (image.Width, image.Height));
        Assert.Equal(cells[3], Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decode_with_exif_transpose_gives_PILs_turned_pixels(string row)
    {
        var cells = row.Split('\t');
        var image = TestDecoder.Decode(Path.Combine(Folder, cells[0]), new DecodeOptions { ExifTranspose = true });
        Assert.Equal(cells[4], Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
    }
}
