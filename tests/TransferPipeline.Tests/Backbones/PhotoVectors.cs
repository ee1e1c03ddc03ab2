using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Vectors of the sample photos as extraction makes them: resolve, preprocess, cut, run.</summary>
internal static class PhotoVectors
{
    private static readonly Lazy<IReadOnlyList<RgbImage>> AllValidation = new(() =>
        [
            .. Directory
                .GetDirectories(Path.Combine(Samples, "validation"))
                .Order(StringComparer.Ordinal)
                .SelectMany(d => Directory.GetFiles(d).Order(StringComparer.Ordinal))
                .Select(Decode),
        ]
    );

    public static string Samples => Path.Combine(SharedData.Repository, "samples", "clothing");

    /// <summary>The hundred photos for validation in a feature set's order.</summary>
    public static IReadOnlyList<RgbImage> Validation => AllValidation.Value;

    public static RgbImage Decode(string file)
    {
        var photo = new RgbImage();
        TestDecoder.Create().Decode(File.ReadAllBytes(file), new DecodeOptions(), photo);
        return photo;
    }

    public static float[] Of(ResolvedModel model, CutRequest request, IReadOnlyList<RgbImage> photos)
    {
        Assert.Null(model.Question);
        var p = model.Preprocessing;
        var cut = Backbone.Open(model.File, new PhotoSize(p.OutputHeight, p.OutputWidth)).Cut(model.Explicit(request));
        var preprocessor = new Preprocessor(p);
        var size = 3 * cut.InputHeight * cut.InputWidth;
        var pixels = new float[photos.Count * size];
        for (var i = 0; i < photos.Count; i++)
            preprocessor.Run(photos[i], pixels.AsSpan(i * size, size), cut.Layout);
        return SmallModel.RunCut(cut, pixels, photos.Count);
    }

    /// <summary>A store of its own without models.</summary>
    public static ModelStore EmptyStore(TempFolder folder) => new(folder.At("built-in"), folder.At("store"));
}
