using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Extraction;

/// <summary>An extraction in a process of its own, which can be killed; it writes a line for each photo that it decodes.</summary>
internal static class ChildExtraction
{
    public const string Switch = "--child-extract";

    public static Process Start(string photos, string set, int rowsPerPart) =>
        Process.Start(TestProgram.With(Switch, photos, set, rowsPerPart.ToString(CultureInfo.InvariantCulture)))!.KilledAtLimit();

    public static int Run(string[] args)
    {
        using var extraction = new TestExtraction(0);
        using var dataset = TransferPipeline.Datasets.DatasetReader.Open(new() { Path = args[1] });
        var job = extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, args[2])], Decoder = new TellingDecoder() };
        var options = new ExtractionOptions { Workers = 2, RowsPerPart = int.Parse(args[3], CultureInfo.InvariantCulture) };
        try
        {
            Console.WriteLine($"computed {Extractor.Run(job, options)[0].Computed}");
            if (OperatingSystem.IsLinux())
                Console.WriteLine(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)));
            return 0;
        }
        catch (TransferException e)
        {
            Console.Error.WriteLine(e.Message);
            return (int)e.ExitCode;
        }
    }

    private sealed class TellingDecoder : IImageDecoder
    {
        private readonly CountingDecoder _decoder = new();

        public string Name => _decoder.Name;

        public string Libraries => _decoder.Libraries;

        public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination) =>
            Decode(encoded, options, destination, null);

        public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region)
        {
            Console.WriteLine($"decode {Convert.ToHexStringLower(SHA256.HashData(encoded))}");
            _decoder.Decode(encoded, options, destination, region);
        }
    }
}
