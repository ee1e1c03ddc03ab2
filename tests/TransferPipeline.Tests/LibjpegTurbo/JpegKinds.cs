using TransferPipeline.Images;
using TransferPipeline.Tests.Images;
using static TransferPipeline.Tests.LibjpegTurbo.JpegWriter;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>JPEG of all kinds by name: a real photo, written in each of them.</summary>
internal static class JpegKinds
{
    /// <summary>What libjpeg-turbo decodes.</summary>
    public static readonly IReadOnlyDictionary<string, JpegWriter> Plain = new Dictionary<string, JpegWriter>
    {
        ["4:2:0"] = new(),
        ["4:2:0 low quality"] = new() { Quality = 20 },
        ["4:2:2"] = new() { Sampling = Subsampling.Half422 },
        ["4:4:4"] = new() { Sampling = Subsampling.None444, Quality = 97 },
        ["4:4:0"] = new() { Sampling = Subsampling.Tall440 },
        ["4:1:1"] = new() { Sampling = Subsampling.Wide411 },
        ["4:4:1"] = new() { Sampling = Subsampling.High441 },
        ["grey"] = new() { Sampling = Subsampling.Grey },
        ["RGB"] = new() { Sampling = Subsampling.None444, ColorSpace = Colors.Rgb },
        ["progressive 4:2:0"] = new() { Progressive = true },
        ["progressive 4:4:4"] = new() { Progressive = true, Sampling = Subsampling.None444 },
        ["progressive grey"] = new() { Progressive = true, Sampling = Subsampling.Grey },
        ["restarts"] = new() { RestartBlocks = 7 },
        ["restarts 4:2:2"] = new() { RestartBlocks = 1, Sampling = Subsampling.Half422 },
        ["arithmetic"] = new() { Arithmetic = true },
        ["arithmetic progressive"] = new() { Arithmetic = true, Progressive = true },
    };

    /// <summary>What only libvips decodes, or refuses.</summary>
    public static readonly IReadOnlyDictionary<string, JpegWriter> Other = new Dictionary<string, JpegWriter>
    {
        ["CMYK"] = new() { ColorSpace = Colors.Cmyk, Sampling = Subsampling.None444 },
        ["YCCK"] = new() { ColorSpace = Colors.Ycck },
        ["lossless"] = new() { Lossless = true, Sampling = Subsampling.None444 },
    };

    public static JpegWriter Of(string kind) => Plain.TryGetValue(kind, out var plain) ? plain : Other[kind];

    /// <summary>The top left part of a sample photo.</summary>
    public static RgbImage Picture(int width, int height)
    {
        var folder = Path.Combine(SharedData.Repository, "samples", "clothing", "train", "dress");
        var photo = TestDecoder.Decode(Directory.GetFiles(folder).Order(StringComparer.Ordinal).First());
        var part = new RgbImage();
        part.Resize(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                photo.Row(y % photo.Height).Slice(x % photo.Width * 3, 3).CopyTo(part.Row(y)[(x * 3)..]);
        }

        return part;
    }
}
