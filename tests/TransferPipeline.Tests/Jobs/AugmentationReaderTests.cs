using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;
using TransferPipeline.Jobs;
using TransferPipeline.Pipelines;
using TransferPipeline.Pipelines.Yaml;

namespace TransferPipeline.Tests.Jobs;

public sealed class AugmentationReaderTests
{
    private const string Minimal = "data: {path: photos}\nmodel: efficientnet-lite0\nheads: [softmax]\naugment:\n";

    [Fact]
    public void Read_NoParameters_TakesTorchvisionsDefaults() =>
        Assert.Equal(
            [
                new RandomResizedCrop
                {
                    Width = 224,
                    Height = 224,
                    Scale = new(0.08, 1),
                    Ratio = new(3.0 / 4, 4.0 / 3),
                    Interpolation = Interpolation.Bilinear,
                },
                new RandomHorizontalFlip { Probability = 0.5 },
                new ColorJitter
                {
                    Brightness = new(1, 1),
                    Contrast = new(1, 1),
                    Saturation = new(1, 1),
                    Hue = new(0, 0),
                },
            ],
            Read("  - random-resized-crop\n  - random-horizontal-flip\n  - color-jitter\n")
        );

    [Fact]
    public void Read_OneNumber_IsTheRangeThatTorchvisionMakesOfIt() =>
        Assert.Equal(
            [
                new RandomRotation
                {
                    Degrees = new(-30, 30),
                    Interpolation = Interpolation.Nearest,
                    Fill = 0,
                },
                new ColorJitter
                {
                    Brightness = new(0.75, 1.25),
                    Contrast = new(0, 2.5),
                    Saturation = new(0.5, 1.5),
                    Hue = new(-0.125, 0.125),
                },
            ],
            Read("  - random-rotation: {degrees: 30}\n  - color-jitter: {brightness: 0.25, contrast: 1.5, saturation: 0.5, hue: 0.125}\n")
        );

    [Fact]
    public void Read_Ranges_AreTakenAsTheyAre() =>
        Assert.Equal(
            [
                new RandomResizedCrop
                {
                    Width = 96,
                    Height = 96,
                    Scale = new(0.5, 0.9),
                    Ratio = new(1, 2),
                    Interpolation = Interpolation.Bicubic,
                },
                new RandomHorizontalFlip { Probability = 1 },
                new RandomRotation
                {
                    Degrees = new(-10, 90),
                    Interpolation = Interpolation.Bilinear,
                    Fill = 128,
                },
                new ColorJitter { Brightness = new(0.5, 2), Hue = new(0.1, 0.2) },
            ],
            Read(
                "  - random-resized-crop: {size: 96, scale: [0.5, 0.9], ratio: [1, 2], interpolation: bicubic}\n  - "
                    + "random-horizontal-flip: {p: 1}\n"
                    + "  - random-rotation: {degrees: [-10, 90], interpolation: bilinear, fill: 128}\n  - color-jitter: {brightness: "
                    + "[0.5, 2], hue: [0.1, 0.2]}\n"
            )
        );

    [Theory]
    [InlineData("random-rotate", "no augmentation 'random-rotate'; did you mean 'random-rotation'?")]
    [InlineData("random-rotation", "random-rotation needs 'degrees'")]
    [InlineData("random-rotation: {degree: 3, degrees: 4}", "random-rotation has no parameter 'degree'; did you mean 'degrees'?")]
    [InlineData("random-rotation: {degrees: [9, 3]}", "random-rotation: degrees is '[9, 3]', expected a number, or [from, to]")]
    [InlineData("random-rotation: {degrees: many}", "random-rotation: degrees is 'many', expected a number, or [from, to]")]
    [InlineData("random-rotation: {degrees: 3, fill: 127.5}", "random-rotation: fill is '127.5', expected a whole number from 0 to 255")]
    [InlineData("random-resized-crop: {size: 224.5}", "random-resized-crop: size is '224.5', expected a whole number from 1 to 16384")]
    [InlineData(
        "random-resized-crop: {interpolation: 2}",
        "random-resized-crop: interpolation is '2', expected one of nearest, bilinear, bicubic, lanczos"
    )]
    [InlineData("random-horizontal-flip: {p: 1.5}", "random-horizontal-flip: p is '1.5', expected a number from 0 to 1")]
    [InlineData(
        "random-resized-crop: {interpolation: cubic}",
        "random-resized-crop: interpolation is 'cubic', expected one of nearest, bilinear, bicubic, lanczos"
    )]
    public void Read_WrongStep_NamesLineAndCure(string step, string problem) =>
        Assert.StartsWith("job.yaml:5: " + problem, Assert.Throws<BadInputException>(() => Read($"  - {step}\n")).Message);

    [Fact]
    public void Read_CropWithoutSize_IsOfBothSidesOfTheNetwork()
    {
        var photos = Preprocessing.ImageNet() with { CropHeight = 64, CropWidth = 96 };
        var steps = PipelineReader.Read(YamlDocument.Parse("job.yaml", Minimal + "  - random-resized-crop\n")).Augment;
        Assert.Equal(new RandomResizedCrop { Width = 96, Height = 64 }, Assert.Single(AugmentationReader.Read(steps, photos)));
    }

    private static IReadOnlyList<Augmentation> Read(string steps) =>
        AugmentationReader.Read(PipelineReader.Read(YamlDocument.Parse("job.yaml", Minimal + steps)).Augment, Preprocessing.ImageNet());
}
