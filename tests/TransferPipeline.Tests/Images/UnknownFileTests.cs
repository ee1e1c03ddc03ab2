using System.Text;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Files that are no photos are called by their names, whatever their extension.</summary>
public sealed class UnknownFileTests
{
    [Theory]
    [InlineData("BPG\u00FB", "a BPG image, which is not supported: convert it to JPEG or PNG")]
    [InlineData("FLIF", "a FLIF image")]
    [InlineData("farbfeld", "a farbfeld image")]
    [InlineData("\u00ABKTX 20", "a texture (KTX)")]
    [InlineData("AT&TFORM", "a DjVu document")]
    [InlineData("\u00D7\u00CD\u00C6\u009A", "a Windows metafile (WMF)")]
    [InlineData("\u0059\u00A6\u006A\u0095", "a Sun raster image")]
    [InlineData("#define im_width 16", "an X bitmap")]
    [InlineData("/* XPM */", "an X pixmap")]
    [InlineData("\0\0\u000A\0\0", "a TGA image")]
    [InlineData("\u00C5\u00D0\u00D3\u00C6", "a PostScript document, not an image")]
    [InlineData("\0MRM", "a raw file of a camera")]
    [InlineData("II\u001A\0\0\0HEAPCCDR", "a raw file of a camera")]
    [InlineData("\0\0\0\u0018ftyphevm", "a HEIF image")]
    [InlineData("ID3\u0003", "a sound file, not an image")]
    [InlineData("FLV\u0001", "a video (Flash), not an image")]
    [InlineData("\u0030\u0026\u00B2\u0075", "a video (Windows Media), not an image")]
    [InlineData("MATLAB 5.0 MAT-file", "a MATLAB file, not an image: write its images as PNG")]
    [InlineData("PAR1", "a Parquet file, not an image")]
    [InlineData("\u0004\u0022\u004D\u0018", "a compressed file (lz4), not an image: unpack it")]
    [InlineData("PK\u0005\u0006", "a zip archive, not an image: unpack it")]
    [InlineData("bplist00", "a property list of Apple's systems, not an image")]
    [InlineData("[InternetShortcut]", "a shortcut of Windows, not the image itself")]
    [InlineData("/annex/objects/SHA256E-s1--a.jpg", "a pointer of git-annex, not the image itself: fetch it with 'git annex get'")]
    [InlineData("HTTP/1.1 404 Not Found", "an answer of a web server, not an image")]
    [InlineData("<!-- saved --><html>", "a web page, not an image")]
    [InlineData("<!-- drawn --><svg>", "an SVG drawing, which is not supported: convert it to PNG")]
    [InlineData("[{\"a\": 1}]", "JSON text, not an image")]
    [InlineData("404: Not Found", "text, not an image: the download gave an error in its place?")]
    [InlineData("Access Denied", "text, not an image: the download gave an error in its place?")]
    [InlineData("/9j/4AAQSkZJRgABAQ", "an image in base64 text: decode it into a file of its own")]
    [InlineData("data:image/png;base64,", "an image in base64 text: decode it into a file of its own")]
    [InlineData("\u0089PNG\u000A\u001A\u000A", "an image whose bytes were changed as if they were text")]
    [InlineData("\u00C2\u0089PNG\u000D\u000A", "an image whose bytes were changed as if they were text")]
    [InlineData("\u00C3\u00BF\u00C3\u0098\u00C3\u00BF", "an image whose bytes were changed as if they were text")]
    public void Describe_OfAStart_IsItsNameWithWhatToDo(string start, string expected)
    {
        byte[] encoded = [.. Encoding.Latin1.GetBytes(start), .. Enumerable.Repeat((byte)'x', 400)];
        var error = Assert.Throws<ImageDecodeException>(() =>
            TestDecoder.Of(TestDecoder.Pillow.Last()).Decode(encoded, new DecodeOptions(), new RgbImage())
        );
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }
}
