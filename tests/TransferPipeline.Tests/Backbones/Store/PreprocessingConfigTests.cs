using TransferPipeline.Backbones.Store;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones.Store;

/// <summary>Configurations of Hugging Face, timm and OpenCLIP beside a file.</summary>
public sealed class PreprocessingConfigTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        "preprocessor_config.json",
        """{"size":{"height":12,"width":12},"resample":3,"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5]}""",
        "resize 12 x 12 bicubic, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"feature_extractor_type":"CLIPFeatureExtractor","size":12,"crop_size":12,"do_center_crop":true,"resample":3,
            "image_mean":[0.1,0.2,0.3],"image_std":[1,1,1]}
            """,
        "short side 12 bicubic, crop 12 x 12 rounded down, (x / 255 - [0.1, 0.2, 0.3]) / [1, 1, 1]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"feature_extractor_type":"ViTFeatureExtractor","size":12,"resample":2,"image_mean":[0.5],"image_std":[0.5]}""",
        "resize 12 x 12 bilinear, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"ConvNextImageProcessor","size":{"shortest_edge":12},"crop_pct":0.875,"resample":3,
            "image_mean":[0.5],"image_std":[0.5]}
            """,
        "short side 13 bicubic, crop 12 x 12 rounded down, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"size":{"shortest_edge":14},"crop_size":{"height":12,"width":12},"do_center_crop":true,"do_flip_channel_order":true,
            "do_normalize":false,"resample":2}
            """,
        "short side 14 bilinear, crop 12 x 12 rounded down, (x - 0) / 255, BGR"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"size":{"height":12,"width":12},"do_rescale":true,"rescale_factor":0.00784313725490196,"rescale_offset":true,
            "do_normalize":false}
            """,
        "resize 12 x 12 bilinear, (x - 127.5) / 127.5"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"size":{"height":12,"width":12},"do_rescale":false,"do_normalize":false}""",
        "resize 12 x 12 bilinear, levels 0 to 255"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"EfficientNetImageProcessor","size":{"height":12,"width":12},"resample":0,
            "image_mean":[0.5],"image_std":[0.5]}
            """,
        "resize 12 x 12 nearest, (x / 255 - [0.5, 0.5, 0.5]) / [0.25, 0.25, 0.25]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"EfficientNetImageProcessor","include_top":false,"size":{"height":12,"width":12},
            "resample":0,"image_mean":[0.5],"image_std":[0.5]}
            """,
        "resize 12 x 12 nearest, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"size":14,"default_to_square":false,"crop_size":12,"do_resize":true,"do_convert_rgb":true,"do_pad":null,
            "image_mean":[0.5],"image_std":[0.5]}
            """,
        "short side 14 bilinear, crop 12 x 12 rounded down, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "config.json",
        """
            {"pretrained_cfg":{"input_size":[3,12,12],"interpolation":"bicubic","crop_pct":1.0,"crop_mode":"squash",
            "mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}}
            """,
        "resize 12 x 12 bicubic, crop 12 x 12, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "config.json",
        """{"input_size":[3,12,12],"interpolation":"bilinear","crop_pct":0.9,"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}""",
        "short side 13 bilinear, crop 12 x 12, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5]"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"preprocess_cfg":{"size":12}}""",
        "short side 12 bicubic, crop 12 x 12, (x / 255 - [0.48145466, 0.4578275, 0.40821073]) / [0.26862954, 0.26130258, 0.27577711]"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"vision_cfg":{"image_size":12}}}""",
        "short side 12 bicubic, crop 12 x 12, (x / 255 - [0.48145466, 0.4578275, 0.40821073]) / [0.26862954, 0.26130258, 0.27577711]"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"TimmWrapperImageProcessor","pretrained_cfg":{"input_size":[3,12,12],"mean":[0.5],"std":[0.5],
            "crop_pct":1.0,"interpolation":"bicubic"}}
            """,
        "short side 12 bicubic, crop 12 x 12, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5] (timm's preprocessor_config.json)"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"DeiTImageProcessorFast","size":{"height":14,"width":14},"crop_size":12,"image_mean":[0.5],
            "image_std":[0.5]}
            """,
        "resize 14 x 14 bicubic, crop 12 x 12 rounded down"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"image_processor_type":"MobileViTImageProcessor","size":{"shortest_edge":14},"crop_size":12}""",
        "short side 14 bilinear, crop 12 x 12 rounded down, (x - 0) / 255, BGR"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"PoolFormerImageProcessor","size":{"shortest_edge":12},"crop_size":12,"image_mean":[0.5],
            "image_std":[0.5]}
            """,
        "short side 13 bicubic, crop 12 x 12 rounded down"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"PoolFormerImageProcessor","size":{"height":384,"width":384},"crop_pct":0.95,"crop_size":12,
            "image_mean":[0.5],"image_std":[0.5]}
            """,
        "short side 404 bicubic, crop 12 x 12 rounded down"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"PoolFormerImageProcessor","size":{"height":14,"width":14},"crop_pct":null,"crop_size":12,
            "image_mean":[0.5],"image_std":[0.5]}
            """,
        "resize 14 x 14 bicubic, crop 12 x 12 rounded down"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"ViTHybridImageProcessor","size":14,"crop_size":12,"image_mean":[0.5],"image_std":[0.5]}
            """,
        "short side 14 bicubic, crop 12 x 12 rounded down"
    )]
    [InlineData(
        "preprocessor_config.json",
        """
            {"image_processor_type":"EfficientNetImageProcessor","size":{"height":12,"width":12},"crop_size":10,"image_mean":[0.5],
            "image_std":[0.5]}
            """,
        "resize 12 x 12 nearest, (x / 255"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"size":{"height":12,"width":12},"keep_aspect_ratio":false,"ensure_multiple_of":4,"image_mean":[0.5],"image_std":[0.5]}""",
        "resize 12 x 12 bilinear"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"size":{"height":12,"width":12},"interpolation":"bicubic","image_mean":[0.5],"image_std":[0.5]}""",
        "resize 12 x 12 bicubic"
    )]
    [InlineData(
        "config.json",
        """{"architecture":"resnet50","pretrained_cfg":{"input_size":[3,12,12]}}""",
        "short side 13 bicubic, crop 12 x 12, (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225] (timm's config.json)"
    )]
    [InlineData(
        "config.json",
        """
            {"pretrained_cfg":{"input_size":[3,8,8],"crop_pct":0.5,"test_input_size":[3,12,12],"test_crop_pct":1.0,"mean":[0.5],
            "std":[0.5]}}
            """,
        "short side 12 bicubic, crop 12 x 12, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5] (timm's config.json, at its test_input_size)"
    )]
    [InlineData(
        "config.json",
        """
            {"pretrained_cfg":{"input_size":[3,12,12],"crop_pct":0.5,"test_input_size":[3,16,16],"test_crop_pct":1.0,"mean":[0.5],
            "std":[0.5]}}
            """,
        "short side 24 bicubic, crop 12 x 12, (x / 255 - [0.5, 0.5, 0.5]) / [0.5, 0.5, 0.5] (timm's config.json)"
    )]
    [InlineData(
        "metadata_properties.json",
        """
            {"CustomVision.Preprocess.NormalizeMean":"[0.0, 0.0, 0.0]","CustomVision.Preprocess.NormalizeStd":"[1.0, 1.0, 1.0]",
            "Image.BitmapPixelFormat":"Rgb8","Image.NominalPixelRange":"Normalized_0_1"}
            """,
        "short side 13 bilinear, crop 12 x 12, (x - 0) / 255 (Azure Custom Vision's metadata_properties.json)"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"image_processor_type":"Siglip2ImageProcessor","size":{"height":12,"width":12},"image_mean":[0.5],"image_std":[0.5]}""",
        "resize 12 x 12 bilinear"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"image_processor_type":"EfficientNetImageProcessor","size":{"height":12,"width":12},"image_mean":[0.5],"image_std":[0.5]}""",
        "resize 12 x 12 nearest"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"image_processor_type":"MobileViTImageProcessor","size":{"shortest_edge":14},"crop_size":12,"do_flip_channel_order":true}""",
        "short side 14 bilinear, crop 12 x 12 rounded down, (x - 0) / 255, BGR"
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"size":{"height":12,"width":12},"do_rescale":false,"image_mean":[123.675,116.28,103.53],"image_std":[1,1,1]}""",
        "resize 12 x 12 bilinear"
    )]
    [InlineData(
        "config.json",
        """{"model_type":"resnet","hidden_size":12}""",
        "short side 13 bilinear, crop 12 x 12, (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225] (nothing states it"
    )]
    public void Resolve_ConfigurationBesideTheFile_IsObeyed(string file, string json, string expected)
    {
        _folder.Write(file, json);
        var model = Resolve();
        Assert.Null(model.Question);
        Assert.StartsWith(expected, model.PreprocessingReason, StringComparison.Ordinal);
        var manifest = PhotoVectors.EmptyStore(_folder).Add(model.File, "m").Manifest;
        Assert.Equal(model.Preprocessing.CropRoundsDown, manifest.Preprocessing.CropRoundsDown);
        var read = PhotoVectors.EmptyStore(_folder).Resolve("m").Preprocessing;
        Assert.Equal(expected.Contains("rounded down", StringComparison.Ordinal), read.CropRoundsDown);
    }

    [Theory]
    [InlineData("{\"size\":-12,\"image_mean\":[0.5],\"image_std\":[0.5]}", "size is -12, expected sides greater than 0")]
    [InlineData("{\"size\":0}", "size is 0, expected sides greater than 0")]
    [InlineData("{\"size\":[12]}", "not a configuration")]
    [InlineData("{\"size\":12,\"do_normalize\":0}", "do_normalize is 0, expected true or false")]
    [InlineData("{\"size\":12,\"rescale_factor\":\"1/255\"}", "rescale_factor is \"1/255\", expected a number")]
    [InlineData("{\"size\":12,\"crop_size\":\"12\"}", "crop_size is \"12\", expected sides in pixels")]
    [InlineData("{\"size\":12,\"crop_pct\":0,\"image_mean\":[0.5],\"image_std\":[0.5]}", "pixels, expected at most 100000")]
    [InlineData("{\"size\":12.5}", "size is 12.5, expected sides in pixels")]
    [InlineData("{\"size\":{\"height\":12}}", "width is missing")]
    [InlineData("{\"size\":12,\"image_mean\":[0.5]}", "image_std is missing")]
    [InlineData("{\"size\":12,\"image_mean\":[0.5],\"image_std\":[\"1\",1,1]}", "image_std is [\"1\",1,1], expected numbers")]
    [InlineData("{\"size\":12,\"image_processor_type\":7}", "image_processor_type is 7, expected text")]
    [InlineData("{\"size\":12,\"image_mean\":[0.5],\"image_std\":[0, 1, 1]}", "expected deviations greater than 0")]
    [InlineData("{\"size\":12,\"rescale_factor\":0,\"image_mean\":[0.5],\"image_std\":[0.5]}", "expected deviations greater than 0")]
    [InlineData("{\"size\":12,\"rescale_factor\":0,\"do_normalize\":false}", "give no finite values")]
    public void Resolve_ConfigurationWhoseNumbersMakeNoSense_IsRefused(string json, string problem)
    {
        var file = _folder.Write("preprocessor_config.json", "\uFEFF" + json);
        var error = Assert.Throws<BadInputException>(() => Resolve());
        Assert.StartsWith($"{file}: not a configuration that can be read (", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_ConfigurationAboveAFolderNamedOnnx_IsObeyed()
    {
        _folder.Write(
            "preprocessor_config.json",
            """{"size":{"height":12,"width":12},"resample":3,"image_mean":[0.5],"image_std":[0.5]}"""
        );
        var file = SmallModel.Plain().Save(_folder);
        Directory.CreateDirectory(_folder.At("onnx", "x"));
        File.Move(file, _folder.At("onnx", "model.onnx"));
        Assert.Contains(
            "Hugging Face's ../preprocessor_config.json",
            PhotoVectors.EmptyStore(_folder).Resolve(_folder.At("onnx", "model.onnx")).PreprocessingReason
        );
    }

    [Theory]
    [InlineData(
        """{"size":{"height":16,"width":16},"image_mean":[0.5],"image_std":[0.5]}""",
        "makes 16 x 16 pixels, but the model takes 12 x 12"
    )]
    [InlineData("""{"size":{"longest_edge":12},"image_mean":[0.5],"image_std":[0.5]}""", "has size {\"longest_edge\":12}")]
    [InlineData("""{"size":{"height":12,"width":12},"resample":5}""", "has resample 5")]
    [InlineData("""{"size":{"height":12,"width":12},"do_pad":true}""", "pads photos")]
    [InlineData("""{"size":{"shortest_edge":12,"longest_edge":20},"image_mean":[0.5],"image_std":[0.5]}""", "\"longest_edge\":20}")]
    [InlineData("""{"size":{"height":12,"width":12},"keep_aspect_ratio":true,"ensure_multiple_of":4}""", "has keep_aspect_ratio")]
    [InlineData("""{"size":{"height":12,"width":12},"do_color_quantize":true}""", "has do_color_quantize")]
    [InlineData("""{"max_num_patches":256,"do_normalize":true,"image_mean":[0.5],"image_std":[0.5]}""", "has max_num_patches")]
    [InlineData("""{"size":{"height":12,"width":12},"do_center_crop":true}""", "has do_center_crop without crop_size")]
    [InlineData("""{"image_processor_type":"BeitImageProcessor","size":12,"image_mean":[0.5],"image_std":[0.5]}""", "has no crop_size")]
    [InlineData("""{"image_processor_type":"ViTImageProcessor","image_mean":[0.5],"image_std":[0.5]}""", "has no size")]
    [InlineData("""{"size":{"height":12,"width":12},"ensure_multiple_of":8}""", "has ensure_multiple_of")]
    [InlineData("""{"size":{"height":12,"width":12},"do_normalize":true}""", "has do_normalize without image_mean")]
    [InlineData("""{"image_processor_type":"ViTImageProcessor","size":{"height":12,"width":12}}""", "has no image_mean")]
    [InlineData("""{"size":{"height":12,"width":12},"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}""", "has no image_mean")]
    [InlineData("""{"size":12,"crop_to_patches":true,"image_mean":[0.5],"image_std":[0.5]}""", "has crop_to_patches")]
    [InlineData("""{"image_processor_type":"ViTImageProcessor"}""", "has no size, no image_mean and no do_normalize")]
    [InlineData("""{"size":12,"image_mean":[0.5],"image_std":[0.5],"offset":true}""", "has offset")]
    [InlineData("""{"size":12,"image_mean":[127.5],"image_std":[127.5]}""", "of another unit than its factor makes")]
    [InlineData("""{"size":12,"image_mean":[0.5],"image_std":[0.5],"do_rescale":false}""", "of another unit than its factor makes")]
    [InlineData(
        """
            {"image_processor_type":"PerceiverImageProcessor","size":{"height":12,"width":12},"crop_size":{"height":14,
            "width":14},"image_mean":[0.5],"image_std":[0.5]}
            """,
        "crops before it resizes"
    )]
    public void Resolve_ConfigurationThatCannotBeFollowed_IsAQuestion(string json, string expected)
    {
        _folder.Write("preprocessor_config.json", json);
        Assert.Contains(expected, Resolve().Question);
    }

    [Theory]
    [InlineData("""{"input_size":[12,12],"mean":[0.5],"std":[0.5]}""", "input_size is [12,12], expected channels, height and width")]
    [InlineData("""{"input_size":[3,12.5,12],"mean":[0.5],"std":[0.5]}""", "input_size is 12.5, expected sides in pixels")]
    [InlineData("""{"input_size":[3,12,12],"interpolation":3,"mean":[0.5],"std":[0.5]}""", "interpolation is 3, expected text")]
    [InlineData("""{"input_size":[3,12,12],"crop_mode":true,"mean":[0.5],"std":[0.5]}""", "crop_mode is true, expected text")]
    [InlineData("""{"input_size":[3,12,12],"crop_pct":"1.0","mean":[0.5],"std":[0.5]}""", "crop_pct is \"1.0\", expected a number")]
    public void Resolve_ValuesOfTimmOfAnotherType_AreRefusedByTheirKey(string json, string problem)
    {
        _folder.Write("config.json", json);
        var e = Assert.Throws<BadInputException>(Resolve);
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_CropOfTimmThatIsNoSquare_IsAQuestion()
    {
        // timm keeps the photo's shape there, so that squeezing it to both sides would give other pixels.
        _folder.Write("config.json", """{"input_size":[3,12,24],"crop_pct":1.0,"mean":[0.5],"std":[0.5]}""");
        Assert.Contains("crops 12 x 24 pixels, which are no square", Resolve().Question, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CustomVision.Preprocess.NormalizeMean", "[0.485, 0.456, 0.406]")]
    [InlineData("CustomVision.Preprocess.NormalizeStd", "[0.229, 0.224, 0.225]")]
    public void Resolve_CustomVisionWithItsOwnNormalization_IsAQuestion(string key, string numbers)
    {
        var model = SmallModel.Plain();
        foreach (var (name, value) in ((string, string)[])[("Image.NominalPixelRange", "Normalized_0_1"), (key, numbers)])
            model.Model.MetadataProps.Add(new StringStringEntryProto { Key = name, Value = value });
        Assert.Contains($"has {key} {numbers}", PhotoVectors.EmptyStore(_folder).Resolve(model.Save(_folder)).Question);
    }

    [Theory]
    [InlineData(
        "config.json",
        """{"pretrained_cfg":{"input_size":[3,16,16],"test_input_size":[3,224,224],"mean":[0.5],"std":[0.5]}}""",
        "short side 18 bicubic, crop 16 x 16"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"vision_cfg":{"image_size":16}},"preprocess_cfg":{"mean":[0.5],"std":[0.5]}}""",
        "short side 16 bicubic, crop 16 x 16"
    )]
    public void Resolve_ConfigurationOfAnOpenSize_GivesTheSize(string name, string json, string expected)
    {
        _folder.Write(name, json);
        var file = SmallModel.Plain(17, DataType.Float, -1, 3, -1, -1).Save(_folder);
        Assert.StartsWith(expected, PhotoVectors.EmptyStore(_folder).Resolve(file).PreprocessingReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[16, 16]", "short side 16 bilinear, crop 16 x 16, (x - 0) / 255 (Ultralytics'")]
    [InlineData("[16, 24]", "resize 16 x 24 bilinear, (x - 0) / 255 (Ultralytics'")]
    [InlineData("16", "short side 16 bilinear, crop 16 x 16, (x - 0) / 255 (Ultralytics'")]
    [InlineData("auto", "short side 224 bilinear, crop 224 x 224, (x - 0) / 255 (Ultralytics'")]
    public void Resolve_UltralyticsWithAnOpenSize_TakesTheSizeOfItsTraining(string size, string expected)
    {
        var model = SmallModel.Plain(17, DataType.Float, -1, 3, -1, -1);
        foreach (var (key, value) in ((string, string)[])[("author", "Ultralytics"), ("task", "classify"), ("imgsz", size)])
            model.Model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        var resolved = PhotoVectors.EmptyStore(_folder).Resolve(model.Save(_folder));
        Assert.Null(resolved.Question);
        Assert.StartsWith(expected, resolved.PreprocessingReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"size\": ")]
    [InlineData("{\"size\": {\"height\": \"big\", \"width\": 12}}")]
    [InlineData("{\"size\": 12, \"image_mean\": [1, 2], \"image_std\": [1, 1]}")]
    public void Resolve_ConfigurationThatIsDamaged_IsRefused(string json)
    {
        _folder.Write("preprocessor_config.json", json);
        Assert.Contains("not a configuration that can be read", Assert.Throws<BadInputException>(() => Resolve()).Message);
    }

    private ResolvedModel Resolve() => PhotoVectors.EmptyStore(_folder).Resolve(SmallModel.Plain().Save(_folder, "model.onnx"));
}
