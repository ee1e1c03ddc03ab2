using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Preprocessing of files without a manifest: what the graph, its metadata and configurations beside it state.</summary>
public sealed class PixelArithmeticTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("x / 127.5 - 1", 0, 1)]
    [InlineData("x / 255", 0, 1)]
    [InlineData("(x / 255 - mean) / std", 0, 1)]
    [InlineData("(x - 127.5) / 128", 0, 1)]
    [InlineData("x - mean in levels", 0, 1)]
    [InlineData("x - mean of bright photos in levels", 0, 1)]
    [InlineData("x - mean of dark photos in levels", 0, 1)]
    [InlineData("batch normalization of levels", 0, 1)]
    [InlineData("depthwise convolution of levels", 0, 1)]
    [InlineData("(x - mean) / std", 0, 255)]
    [InlineData("2 x - 1", 0, 255)]
    [InlineData("255 x - mean", 0, 255)]
    [InlineData("from ImageNet's to 0.5", 0, 0)]
    [InlineData("nothing", 0, 0)]
    [InlineData("batch normalization that is learned", 0, 0)]
    public void Resolve_ArithmeticAtTheStart_GivesTheUnit(string form, double offset, double divisor)
    {
        var m = new SmallModel();
        string Three(double a, double b, double c) => m.Graph.Constant("c", [(float)a, (float)b, (float)c], 1, 3, 1, 1);
        string One(double v) => m.Scalar((float)v);
        var (mean, std) = (Three(0.485, 0.456, 0.406), Three(0.229, 0.224, 0.225));
        var x = m.Input;
        x = form switch
        {
            "x / 127.5 - 1" => m.Node("Sub", m.Node("Mul", x, One(1 / 127.5)), One(1)),
            "x / 255" => m.Node("Mul", x, One(1 / 255.0)),
            "(x / 255 - mean) / std" => m.Node("Div", m.Node("Sub", m.Node("Div", m.Node("Identity", x), One(255)), mean), std),
            "(x - 127.5) / 128" => m.Node("Div", m.Node("Sub", x, One(127.5)), One(128)),
            "x - mean in levels" => m.Node("Sub", x, Three(123.68, 116.78, 103.94)),
            "x - mean of bright photos in levels" => m.Node("Sub", x, Three(157.1, 161.2, 152.2)),
            "x - mean of dark photos in levels" => m.Node("Sub", x, One(22.5)),
            "batch normalization of levels" => m.Node(
                "BatchNormalization",
                [x, Vector(m, 1, 1, 1), Vector(m, 0, 0, 0), Vector(m, 123, 116, 103), Vector(m, 3400, 3300, 3350)]
            ),
            "depthwise convolution of levels" => m.Node(
                "Conv",
                [x, m.Graph.Constant("w", [1 / 58.4f, 1 / 57.1f, 1 / 57.4f], 3, 1, 1, 1), Vector(m, -2.1f, -2.0f, -1.8f)],
                ("group", 3L)
            ),
            "(x - mean) / std" => m.Node("Div", m.Node("Sub", x, mean), std),
            "2 x - 1" => m.Node("Sub", m.Node("Mul", x, One(2)), One(1)),
            "255 x - mean" => m.Node("Add", m.Node("Mul", x, One(255)), Three(-123.68, -116.78, -103.94)),
            "from ImageNet's to 0.5" => m.Node("Add", m.Node("Mul", x, Three(0.458, 0.448, 0.45)), Three(-0.03, -0.088, -0.188)),
            "batch normalization that is learned" => m.Node(
                "BatchNormalization",
                [x, Vector(m, 12, 0.3f, 5), Vector(m, 0, 3, 0), Vector(m, 1, 7, 1), Vector(m, 0.1f, 1, 1)]
            ),
            _ => x,
        };
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes));
        var model = Resolve(m);
        Assert.Null(model.Question);
        Assert.Equal((offset, divisor, false), (model.Preprocessing.Offset, model.Preprocessing.Divisor, model.Preprocessing.Bgr));
        Assert.Equal((13, 12), (model.Preprocessing.ResizeShortSide, model.Preprocessing.CropHeight));
        Assert.Contains(divisor == 0 ? "torchvision's default" : "on the pixels", model.PreprocessingReason);
    }

    /// <summary>A photo less its own mean is the same in any unit, but not with ImageNet's numbers for each channel.</summary>
    [Theory]
    [InlineData("written out", true)]
    [InlineData("of each channel", true)]
    [InlineData("LayerNormalization inside", false)]
    public void Resolve_PhotoLessItsOwnMean_TakesLevels(string form, bool levels)
    {
        var m = new SmallModel();
        string Centred(string x) => m.Node("Sub", x, m.Node("ReduceMean", [x], ("axes", new long[] { 1, 2, 3 })));
        var x = form switch
        {
            "written out" => m.Node("Div", Centred(m.Input), m.Node("ReduceL2", [Centred(m.Input)], ("axes", new long[] { 1, 2, 3 }))),
            "of each channel" => m.Node("InstanceNormalization", m.Input, Vector(m, 1, 1, 1), Vector(m, 0, 0, 0)),
            _ => m.Input,
        };
        x = m.Body(x);
        if (!levels)
            x = Centred(x);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", x)), 8, SmallModel.Classes));
        var model = Resolve(m);
        Assert.Equal(levels ? 1 : 0, model.Preprocessing.Divisor);
        Assert.Equal(levels, model.PreprocessingReason!.Contains("subtracts each photo's own mean", StringComparison.Ordinal));
        // What a publisher states counts more.
        _folder.Write("preprocessor_config.json", """{"size":{"height":12,"width":12},"image_mean":[0.5],"image_std":[0.5]}""");
        Assert.Equal(0.5, Resolve(m).Preprocessing.Mean[0]);
    }

    /// <summary>Networks that come from Core ML, as Azure's Custom Vision and WinMLTools write them.</summary>
    [Theory]
    [InlineData(1, "0,0,0", "104,117,123", 1, true)]
    [InlineData(1, "-103.939,-116.779,-123.68", "0,0,0", 1, true)]
    [InlineData(1, "-123.68,-116.779,-103.939", "0,0,0", 1, false)]
    [InlineData(0.0078431, "-1,-1,-1", "0,0,0", 1, false)]
    [InlineData(0.0078431, "-1,-1,-1", "0.1,0.3,-2", 1, false)]
    [InlineData(1, "0,0,0", "0.1,0.3,-2", 0, false)]
    [InlineData(1, "0,0,0", "0,0,0", 0, false)]
    public void Resolve_ImageScaler_IsArithmetic(double scale, string bias, string mean, double divisor, bool bgr)
    {
        float[] Three(string numbers) =>
            [.. numbers.Split(',').Select(n => float.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
        var m = new SmallModel(opset: 7);
        var x = m.Node("ImageScaler", [m.Input], ("scale", (float)scale), ("bias", Three(bias)));
        x = m.Node(
            "BatchNormalization",
            [x, Vector(m, 1, 1, 1), Vector(m, 0, 0, 0), m.Graph.Constant("mean", Three(mean), 3), Vector(m, 1, 1, 1)]
        );
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes));
        var model = Resolve(m);
        Assert.Null(model.Question);
        Assert.Equal((0, divisor, bgr), (model.Preprocessing.Offset, model.Preprocessing.Divisor, model.Preprocessing.Bgr));
    }

    [Theory]
    [InlineData((int)DataType.Uint8, false)]
    [InlineData((int)DataType.Uint8, true)]
    public void Vectors_BytesIntoTheGraph_AreThoseOfPixelsNormalizedOutside(int type, bool nhwc)
    {
        // The same network with the normalization inside and outside.
        float[] means = [0.485f, 0.456f, 0.406f],
            deviations = [0.229f, 0.224f, 0.225f];
        var inside = nhwc ? new SmallModel(17, "x", (DataType)type, -1, 12, 12, 3) : new SmallModel(17, "x", (DataType)type, -1, 3, 12, 12);
        long[] dims = nhwc ? [3] : [1, 3, 1, 1];
        var x = inside.Node("Div", inside.Node("Cast", [inside.Input], ("to", 1L)), inside.Scalar(255));
        x = inside.Node(
            "Div",
            inside.Node("Sub", x, inside.Graph.Constant("mean", means, dims)),
            inside.Graph.Constant("std", deviations, dims)
        );
        if (nhwc)
            x = inside.Node("Transpose", [x], ("perm", new long[] { 0, 3, 1, 2 }));
        inside.Output(inside.Gemm(inside.Node("Flatten", inside.Node("GlobalAveragePool", inside.Body(x))), 8, SmallModel.Classes));
        var outside = new SmallModel();
        outside.Output(
            outside.Gemm(outside.Node("Flatten", outside.Node("GlobalAveragePool", outside.Body(outside.Input))), 8, SmallModel.Classes)
        );

        var photos = PhotoVectors.Validation.Take(5).ToList();
        SmallModel.AssertClose(
            PhotoVectors.Of(Resolve(outside, "outside.onnx"), CutRequest.Default, photos),
            PhotoVectors.Of(Resolve(inside, "inside.onnx"), CutRequest.Default, photos)
        );
        Assert.Contains("its input is uint8: levels 0 to 255", Resolve(inside, "inside.onnx").Notes([CutRequest.Default])[0]);
    }

    [Fact]
    public void Resolve_MeansOfBlueGreenRed_TurnsTheChannels()
    {
        var m = new SmallModel();
        m.Output(
            m.Gemm(
                m.Node(
                    "Flatten",
                    m.Node("GlobalAveragePool", m.Body(m.Node("Sub", m.Input, m.Graph.Constant("m", [103.94f, 116.78f, 123.68f], 3, 1, 1))))
                ),
                8,
                SmallModel.Classes
            )
        );
        Assert.True(Resolve(m).Preprocessing is { Bgr: true, Offset: 0, Divisor: 1 });
    }

    [Fact]
    public void Add_WithAPreprocessingGraphBefore_StoresBothAsOne()
    {
        // As ML.NET's featurizers: channels turned and a mean image subtracted in one file, the network in another with equal names inside.
        var before = new SmallModel(17, "pixels", DataType.Float, 1, 3, 12, 12);
        var parts = before.Graph.Nodes("Split", "", 3, [before.Input], ("axis", 1L));
        var turned = before.Node("Concat", [parts[2], parts[1], parts[0]], ("axis", 1L));
        float[] image =
        [
            .. Enumerable
                .Range(0, 432)
                .Select(i =>
                    (i / 144) switch
                    {
                        0 => 103,
                        1 => 116,
                        _ => 123,
                    }
                    + i % 7
                    - 3f
                ),
        ];
        before.Output(before.Node("Sub", turned, before.Graph.Constant("w", image, 1, 3, 12, 12)), 1, 3, 12, 12);
        var network = new SmallModel(17, "input", DataType.Float, 1, 3, 12, 12);
        var feature = network.Node("Flatten", network.Node("GlobalAveragePool", network.Body(network.Input)));
        network.Output(feature, 1, 8);

        var store = PhotoVectors.EmptyStore(_folder);
        var entry = store.Add(network.Save(_folder, "network.onnx"), "joined", before: before.Save(_folder, "before.onnx"));
        Assert.Equal(
            (0.0, 1.0, false, feature),
            (
                entry.Manifest.Preprocessing.Offset,
                entry.Manifest.Preprocessing.Divisor,
                entry.Manifest.Preprocessing.Bgr,
                entry.Manifest.Cut
            )
        );

        var photo = PhotoVectors.Validation.Take(1).ToList();
        var levels = new float[432];
        new Preprocessor(entry.Manifest.Preprocessing).Run(photo[0], levels);
        var prepared = before.RunFull(before.Model.Graph.Output[0].Name, levels, 1, 3, 12, 12).Values;
        SmallModel.AssertClose(
            network.RunFull(feature, prepared, 1, 3, 12, 12).Values,
            PhotoVectors.Of(store.Resolve("joined"), CutRequest.Default, photo)
        );

        // Where a manifest is here already, the same files bring its model; others are refused.
        File.Delete(entry.File!);
        Assert.Equal(entry.File, store.Add(_folder.At("network.onnx"), "joined", before: _folder.At("before.onnx")).File);
        File.Delete(entry.File!);
        Assert.Contains("of another file", Assert.Throws<UsageException>(() => store.Add(_folder.At("network.onnx"), "joined")).Message);
    }

    [Fact]
    public void Add_WithAPreprocessingGraphOfAnotherDomain_KeepsItsOperators()
    {
        var before = new SmallModel(17, "pixels");
        before.Output(before.Graph.Nodes("Gelu", "com.microsoft", 1, [before.Input])[0], -1, 3, 12, 12);
        var network = new SmallModel();
        network.Output(network.Node("Flatten", network.Node("GlobalAveragePool", network.Body(network.Input))), -1, 8);
        var store = PhotoVectors.EmptyStore(_folder);
        var entry = store.Add(network.Save(_folder, "network.onnx"), "joined", before: before.Save(_folder, "before.onnx"));
        Assert.Equal(8, Backbone.Open(entry.File!).Cut().Outputs[0].Dimension);

        network.Model.Graph.Input.Add(GraphWriter.Declare("mask", DataType.Float, -1, 1));
        Assert.Contains(
            "2 inputs; expected a network with one",
            Assert
                .Throws<BadInputException>(() => store.Add(network.Save(_folder, "two.onnx"), "two", before: _folder.At("before.onnx")))
                .Message
        );
    }

    [Fact]
    public void Resolve_ArithmeticOfNoKnownUnit_IsAQuestion()
    {
        var m = new SmallModel();
        m.Output(
            m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Node("Mul", m.Input, m.Scalar(17))))), 8, SmallModel.Classes)
        );
        var model = Resolve(m);
        Assert.Contains("its graph starts with Mul on the pixels, which fits no usual preprocessing", model.Question);
        Assert.Equal($"not known: {model.Question}", model.PreprocessingReason);
        var store = PhotoVectors.EmptyStore(_folder);
        Assert.Equal(model.Question, Assert.Throws<UsageException>(() => store.Add(model.File, "m")).Message);
        Assert.Equal(51, store.Add(model.File, "m", p => p with { Divisor = 51 }).Manifest.Preprocessing.Divisor);
    }

    [Theory]
    [InlineData("NominalRange_0_255", "Bgr8", 0, 1, true)]
    [InlineData("", "Bgr8", 0, 1, true)]
    [InlineData("", "Rgb8", 0, 1, false)]
    [InlineData("Normalized_0_1", "Rgb8", 0, 255, false)]
    [InlineData("Normalized_1_1", "Rgb8", 127.5, 127.5, false)]
    public void Resolve_ImageMetadataOfOnnx_IsObeyed(string range, string format, double offset, double divisor, bool bgr)
    {
        var m = SmallModel.Plain();
        if (range.Length > 0)
            m.Model.MetadataProps.Add(new TransferPipeline.Onnx.StringStringEntryProto { Key = "Image.NominalPixelRange", Value = range });
        m.Model.MetadataProps.Add(new TransferPipeline.Onnx.StringStringEntryProto { Key = "Image.BitmapPixelFormat", Value = format });
        Assert.Equal((offset, divisor, bgr), Resolve(m).Preprocessing is var p ? (p.Offset, p.Divisor, p.Bgr) : default);
    }

    [Theory]
    [InlineData("clip", 12, 0, 0.48145466, Interpolation.Bicubic)]
    [InlineData("siglip", 0, 12, 0.5, Interpolation.Bicubic)]
    [InlineData("dinov2", 13, 0, 0.485, Interpolation.Bicubic)]
    [InlineData("timm", 13, 0, 0.485, Interpolation.Bicubic)]
    [InlineData("vit", 0, 12, 0.5, Interpolation.Bilinear)]
    [InlineData("torchvision", 13, 0, 0.485, Interpolation.Bilinear)]
    public void Find_ByName_GivesTheFamilys(string name, int shortSide, int exact, double red, Interpolation interpolation)
    {
        var p = PreprocessingNames.Find(name, 12, 12);
        Assert.Equal((shortSide, exact, red, interpolation), (p.ResizeShortSide, p.ResizeHeight, p.Mean[0], p.Interpolation));
        Assert.Equal((12, 12), (p.OutputHeight, p.OutputWidth));
    }

    [Fact]
    public void Find_UnknownName_SuggestsTheNearest() =>
        Assert.Contains("did you mean 'siglip'?", Assert.Throws<UsageException>(() => PreprocessingNames.Find("siglp", 12, 12)).Message);

    private static string Vector(SmallModel m, float a, float b, float c) => m.Graph.Constant("v", [a, b, c], 3);

    private ResolvedModel Resolve(SmallModel m, string name = "model.onnx") =>
        PhotoVectors.EmptyStore(_folder).Resolve(m.Save(_folder, name));
}
