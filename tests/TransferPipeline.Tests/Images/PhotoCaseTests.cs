using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>
/// Kinds of photos that decoders read wrong: Pillow's pixels, or refused with a reason that names the kind (Cases/make.py, by Pillow 9.4),
/// with and
/// without libjpeg-turbo; and the shared cases of the same kinds.
/// </summary>
public sealed class PhotoCaseTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Cases");

    private static readonly Dictionary<string, string[]> Expected = File.ReadAllLines(Path.Combine(Folder, "expected.tsv"))
        .Skip(1)
        .Select(line => line.Split('\t'))
        .ToDictionary(cells => cells[0]);

    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var libraries in TestDecoder.Pillow)
            {
                foreach (var file in Expected.Keys)
                    rows.Add(libraries, file);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decode_OfEachKind_IsPillowsOrRefusedByName(string libraries, string file)
    {
        var (right, word, pixels, turned) = (Expected[file][1], Expected[file][2], Expected[file][3], Expected[file][4]);
        var decoder = TestDecoder.Of(libraries);
        var image = new RgbImage();
        var reason = Decode(decoder, Path.Combine(Folder, file), new DecodeOptions(), image);
        switch (right)
        {
            case "refused":
                Assert.Contains(word, reason ?? "read", StringComparison.Ordinal);
                break;
            case "either" when reason is not null:
                Assert.Contains(word, reason, StringComparison.Ordinal);
                break;
            case "scaled":
                Assert.Null(reason);
                AssertWithin(1, File.ReadAllBytes(Path.Combine(Folder, file + ".rgb")), image.Pixels, file);
                break;
            case "pixels-of":
                Assert.Null(reason);
                Assert.Equal(Expected[word][3], Hash(image));
                break;
            default:
                Assert.Null(reason);
                Assert.Equal(pixels, Hash(image));
                Assert.Null(Decode(decoder, Path.Combine(Folder, file), new DecodeOptions { ExifTranspose = true }, image));
                Assert.Equal(turned, Hash(image));
                break;
        }
    }

    public static TheoryData<string> SharedKinds =>
        [
            "bmp-16-bit-masks",
            "jpeg-error-in-scan",
            "photo-says-what-it-is",
            "png-orientation",
            "tiff-bad-words",
            "tiff-black",
            "tiff-cmyk16",
            "tiff-orientation",
        ];

    /// <summary>Each file has its right pixels beside it, or is refused.</summary>
    [Theory]
    [MemberData(nameof(SharedKinds))]
    public void Decode_SharedCases_IsAsExpected(string kind)
    {
        var folder = Path.Combine(SharedData.Require("cases"), kind);
        var options = new DecodeOptions { ExifTranspose = kind == "png-orientation" };
        var most = kind == "bmp-16-bit-masks" ? 1 : 0;
        var right = File.Exists(Path.Combine(folder, "expected.tsv"))
            ? File.ReadAllLines(Path.Combine(folder, "expected.tsv")).Skip(1).Select(l => l.Split('\t')).ToDictionary(c => c[0], c => c[1])
            : [];
        foreach (var file in Directory.GetFiles(folder).Where(f => Path.GetExtension(f) is not (".tsv" or ".txt")))
        {
            foreach (var libraries in TestDecoder.Pillow)
            {
                var (name, image, expected) = (Path.GetFileName(file), new RgbImage(), new RgbImage());
                var reason = Decode(TestDecoder.Of(libraries), file, options, image);
                var picture = Path.Combine(folder, "expected", name + ".png");
                var mayBeRefused = !right.TryGetValue(name, out var words) || words.StartsWith("refused", StringComparison.Ordinal);
                if (reason is not null)
                {
                    Assert.True(mayBeRefused, $"{name}: {reason}");
                    continue;
                }

                Assert.True(File.Exists(picture), $"{name} was read, expected a reason");
                Assert.Null(Decode(TestDecoder.Of(libraries), picture, new DecodeOptions(), expected));
                Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
                AssertWithin(most, expected.Pixels, image.Pixels, name);
            }
        }
    }

    private static string? Decode(IImageDecoder decoder, string file, DecodeOptions options, RgbImage image)
    {
        try
        {
            decoder.Decode(File.ReadAllBytes(file), options, image);
            return null;
        }
        catch (ImageDecodeException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return e.Message;
        }
    }

    private static string Hash(RgbImage image) => Convert.ToHexStringLower(SHA256.HashData(image.Pixels));

    private static void AssertWithin(int most, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string file)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= most, $"{file}: level {i} is {actual[i]}, expected {expected[i]}");
    }
}
