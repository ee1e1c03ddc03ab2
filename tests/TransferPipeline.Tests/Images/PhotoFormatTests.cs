using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Every kind of file that PIL reads gives PIL's RGB; the expected hashes are Pillow's (Formats/make.py).</summary>
public sealed class PhotoFormatTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");

    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var libraries in TestDecoder.Pillow)
            {
                foreach (var row in File.ReadAllLines(Path.Combine(Folder, "expected.tsv")).Skip(1))
                    rows.Add(libraries, row);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decode_any_format_gives_PILs_pixels(string libraries, string row)
    {
        var cells = row.Split('\t');
        var image = TestDecoder.Decode(Path.Combine(Folder, cells[0]), decoder: TestDecoder.Of(libraries));
        Assert.Equal((int.Parse(cells[1]), int.Parse(cells[2])), (image.Width, image.Height));
        Assert.Equal(cells[3], Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
    }

    [Fact]
    public void Decode_absolute_runs_of_a_4_bit_bitmap_gives_PILs_pixels()
    {
        // 6 x 3, palette (16 i, 255 - 10 i, 7 i): runs of 6 and 4 single pixels, then two runs of one pair; red as Pillow 9.4 reads it.
        var file = Convert.FromHexString(
            // File header, information header, 16 colours, rows.
            "424d8c0000000000000076000000"
                + "28000000060000000300000001000400020000001600000000000000000000001000000000000000"
                + "00ff000007f510000eeb200015e130001cd7400023cd50002ac3600031b97000"
                + "38af80003fa59000469ba0004d91b0005487c0005b7dd0006273e0006969f000"
                + "00061234560000000004abcd02770000069e00000001"
        );
        var photo = new RgbImage();
        TestDecoder.Create().Decode(file, new(), photo);
        int[] red = new int[18];
        for (var i = 0; i < red.Length; i++)
            red[i] = photo.Pixels[3 * i];
        Assert.Equal([144, 224, 144, 224, 144, 224, 160, 176, 192, 208, 112, 112, 16, 32, 48, 64, 80, 96], red);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decode_with_exif_transpose_gives_PILs_turned_pixels(string libraries, string row)
    {
        var cells = row.Split('\t');
        var image = TestDecoder.Decode(
            Path.Combine(Folder, cells[0]),
            new DecodeOptions { ExifTranspose = true },
            TestDecoder.Of(libraries)
        );
        Assert.Equal(cells[4], Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
    }
}
