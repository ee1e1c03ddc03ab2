using BenchmarkDotNet.Attributes;
using TransferPipeline.Images;

namespace TransferPipeline.Benchmarks;

/// <summary>
/// Resize, crop and normalize one photo of 400 x 533 on one thread. The baseline forces the scalar kernels;
/// Pillow's and torchvision's times for the same come from tests/rivals/preprocess.py.
/// </summary>
public class PreprocessingBenchmarks
{
    private readonly RgbImage _photo = new();
    private readonly float[] _pixels = new float[3 * 224 * 224];
    private Preprocessor _scalar = null!;
    private Preprocessor _simd = null!;

    [Params(Interpolation.Bilinear, Interpolation.Bicubic)]
    public Interpolation Filter { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _photo.Resize(400, 533);
        new Random(1).NextBytes(_photo.Pixels);
        var preprocessing = Preprocessing.ImageNet(interpolation: Filter);
        _simd = new(preprocessing);
        Environment.SetEnvironmentVariable("TRANSFER_SIMD", "scalar");
        _scalar = new(preprocessing);
        Environment.SetEnvironmentVariable("TRANSFER_SIMD", null);
    }

    [Benchmark(Baseline = true)]
    public void Scalar() => _scalar.Run(_photo, _pixels);

    [Benchmark]
    public void Simd() => _simd.Run(_photo, _pixels);
}
