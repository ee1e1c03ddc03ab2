using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.NetVips;

namespace TransferPipeline.Benchmarks;

/// <summary>
/// Decodes one JPEG of the samples, about 400 x 533, on one thread, files in memory. The baseline is libvips alone;
/// Pillow's time for such photos comes from tests/rivals/preprocess.py.
/// </summary>
public class DecodingBenchmarks
{
    private const int Photos = 32;

    private readonly RgbImage _image = new();
    private readonly DecodeOptions _options = new();
    private readonly Preprocessor _crop = new(Preprocessing.ImageNet());
    private readonly NetVipsDecoder _libvips = new();
    private readonly NetVipsDecoder _both = new(new TurboJpegDecoder());
    private byte[][] _encoded = [];

    [GlobalSetup]
    public void Setup()
    {
        var folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "samples", "clothing");
        _encoded =
        [
            .. Directory
                .GetFiles(folder, "*.jpg", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Take(Photos)
                .Select(File.ReadAllBytes),
        ];
        if (_encoded.Length != Photos)
            throw new InvalidOperationException($"{_encoded.Length} photos in {folder}; expected {Photos}");
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Photos)]
    public void Libvips() => Decode(_libvips, null);

    [Benchmark(OperationsPerInvoke = Photos)]
    public void LibjpegTurbo() => Decode(_both, null);

    /// <summary>Of each photo what a resize to 256 and a crop of 224 x 224 read.</summary>
    [Benchmark(OperationsPerInvoke = Photos)]
    public void LibjpegTurboForACrop() => Decode(_both, _crop);

    private void Decode(NetVipsDecoder decoder, IPhotoRegion? region)
    {
        foreach (var photo in _encoded)
            decoder.Decode(photo, _options, _image, region);
    }

    private static string ThisFile([CallerFilePath] string file = "") => file;
}
