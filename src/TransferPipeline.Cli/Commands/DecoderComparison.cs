using System.Globalization;
using System.Numerics.Tensors;
using TransferPipeline.Backbones;
using TransferPipeline.Classifiers;
using TransferPipeline.Cli.Output;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Cli.Commands;

/// <summary>
/// <c>transfer doctor --compare-decoders</c>: how far two decoders are apart, in levels and in features of the default backbone.
/// </summary>
internal static class DecoderComparison
{
    /// <param name="Largest">Largest difference of a level, 0 to 255; 0 when <paramref name="Failure"/> is set.</param>
    /// <param name="Mean">Mean absolute difference of levels.</param>
    /// <param name="Cosine">Cosine of the two feature vectors.</param>
    /// <param name="Failure">Why the photo could not be compared, or null.</param>
    internal sealed record PhotoDifference(string Photo, int Largest, double Mean, double Cosine, string? Failure);

    /// <param name="Decoders">The first decoder and the one it is compared with.</param>
    internal sealed record Summary(
        IReadOnlyList<string> Decoders,
        int Photos,
        int Failed,
        int Largest,
        double Mean,
        double SmallestCosine,
        IReadOnlyList<PhotoDifference> Differences
    );

    /// <param name="names">Two names of decoders, separated by a comma.</param>
    /// <exception cref="UsageException">There are not two names, there is no decoder of a name, or it cannot be used.</exception>
    public static int Run(string names, IReadOnlyList<string> paths, bool json)
    {
        if (names.Split(',') is not [var first, var second])
            throw new UsageException($"--decoders is '{names}', expected two names, as in pillow,imagesharp");
        var decoders = Common.Tools.Decoders;
        var summary = Compare(decoders.Find(first).Instance, decoders.Find(second).Instance, PhotoFileList.Of(paths));
        if (json)
            Json.Write(summary);
        else
            Write(summary);
        return (int)ExitCode.Done;
    }

    internal static Summary Compare(IImageDecoder first, IImageDecoder second, IReadOnlyList<string> files)
    {
        var model = Common.Tools.Models.Resolve(Common.DefaultModel);
        var cut = Backbone.Open(model.File).Cut();
        using var session = SessionFactory.Create(cut, new DeviceOptions());
        using var runner = new BackboneRunner(session, cut, 1);
        var preprocessor = new Preprocessor(model.Preprocessing);
        IImageDecoder[] decoders = [first, second];
        RgbImage[] images = [new(), new()];
        var differences = files
            .Select(file =>
            {
                try
                {
                    var encoded = File.ReadAllBytes(file);
                    var vectors = new float[2][];
                    for (var d = 0; d < 2; d++)
                    {
                        // The whole photo, although the backbone sees a crop: levels are compared everywhere.
                        decoders[d].Decode(encoded, new DecodeOptions(), images[d]);
                        preprocessor.Run(images[d], runner.Pixels(0), cut.Layout);
                        runner.Run();
                        vectors[d] = runner.Vectors(0).Row(0).ToArray();
                    }

                    return Difference(file, images[0], images[1], TensorPrimitives.CosineSimilarity<float>(vectors[0], vectors[1]));
                }
                catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
                {
                    return new PhotoDifference(file, 0, 0, 0, e.Message);
                }
            })
            .ToList();
        // A photo that failed has no difference and would improve the mean.
        var good = differences.Where(d => d.Failure is null).ToList();
        return new(
            [first.Name, second.Name],
            files.Count,
            files.Count - good.Count,
            good.Select(d => d.Largest).DefaultIfEmpty().Max(),
            good.Select(d => d.Mean).DefaultIfEmpty().Average(),
            good.Select(d => d.Cosine).DefaultIfEmpty(1).Min(),
            differences
        );
    }

    private static PhotoDifference Difference(string file, RgbImage a, RgbImage b, double cosine)
    {
        if ((a.Width, a.Height) != (b.Width, b.Height))
            return new(file, 0, 0, 0, $"{a.Width} x {a.Height} pixels by one decoder, {b.Width} x {b.Height} by the other");
        var (largest, sum) = (0, 0L);
        for (var i = 0; i < a.Pixels.Length; i++)
        {
            var difference = Math.Abs(a.Pixels[i] - b.Pixels[i]);
            largest = Math.Max(largest, difference);
            sum += difference;
        }

        return new(file, largest, (double)sum / a.Pixels.Length, cosine, null);
    }

    private static void Write(Summary summary)
    {
        Tables.Write(
            ["photo", ">largest level", ">mean level", ">feature cosine"],
            summary.Differences.Select(d =>
                d.Failure is null
                    ? new[] { d.Photo, Text($"{d.Largest}"), Text($"{d.Mean:0.0000}"), Text($"{d.Cosine:0.000000}") }
                    : [d.Photo, "", "", d.Failure]
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{summary.Decoders[0]} against {summary.Decoders[1]}: {summary.Photos} photos, {summary.Failed} not compared; "
                    + $"largest difference {summary.Largest} levels, mean {summary.Mean:0.0000}, smallest feature cosine "
                    + $"{summary.SmallestCosine:0.000000}"
            )
        );
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
