using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>
/// Decodes every file of a folder for scripts that compare with other programs (tests/rivals/fuzz_photos.py): one line per file with its
/// name and
/// size, or the reason why it is refused, and the RGB bytes in a file of the same name.
/// </summary>
internal static class DecodedFolder
{
    public const string Switch = "--decode-folder";

    /// <summary>Guards against headers that announce huge pictures; the script refuses them too.</summary>
    private const int MostPixels = 1 << 22;

    /// <param name="arguments">The switch, the folder, the folder for the result, and perhaps the name of one of
    /// <see cref="TestDecoder.Pillow"/> or "imagesharp", and perhaps "turned" for EXIF orientation.</param>
    public static int Run(string[] arguments)
    {
        var (folder, output) = (arguments[1], arguments[2]);
        var decoder = TestDecoder.Of(arguments.Length > 3 ? arguments[3] : TestDecoder.Pillow.Last());
        var options = new DecodeOptions { MaxPixels = MostPixels, ExifTranspose = arguments.Contains("turned") };
        Directory.CreateDirectory(output);
        var files = Directory.GetFiles(folder).Order(StringComparer.Ordinal).ToArray();
        var lines = new string[files.Length];
        Parallel.For(
            0,
            files.Length,
            () => new RgbImage(),
            (i, _, image) =>
            {
                var name = Path.GetFileName(files[i]);
                try
                {
                    decoder.Decode(File.ReadAllBytes(files[i]), options, image);
                    File.WriteAllBytes(Path.Combine(output, name), image.Pixels.ToArray());
                    lines[i] = $"{name}\t{image.Width}\t{image.Height}\t";
                }
                catch (ImageDecodeException e)
                {
                    lines[i] = $"{name}\t0\t0\t{e.Message}";
                }

                return image;
            },
            static _ => { }
        );
        File.WriteAllLines(Path.Combine(output, "decoded.tsv"), lines);
        return 0;
    }
}
