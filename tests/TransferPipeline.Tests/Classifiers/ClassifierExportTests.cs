using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Classifiers;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Classifiers;

public sealed class ClassifierExportTests : IDisposable
{
    private const int Photos = 11;
    private const int Classes = 4;

    private readonly TempFolder _folder = new();
    private readonly TempFolder _models = new();

    public void Dispose()
    {
        _folder.Dispose();
        _models.Dispose();
    }

    [Fact]
    public void Write_AgreeingReplay_MakesAClassifierThatPredicts()
    {
        var (cut, head, pixels, probabilities) = Prepare();
        var file = _folder.At("classifier.onnx");
        var info = Info(cut);
        var difference = ClassifierExport.Write(file, cut, head, info, Replay(pixels, probabilities));
        Assert.InRange(difference, 0, 1e-5);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder.Root));

        using var classifier = Classifier.Open(file);
        Assert.Equal(info.Labels, classifier.Info.Labels);
        Assert.Equal(info.Recipe, classifier.Info.Recipe);
        Assert.Equal(info.HeadSettings, classifier.Info.HeadSettings);
        Assert.Equivalent(info.Preprocessing, classifier.Info.Preprocessing, strict: true);
        float[] all = [.. pixels.SelectMany(p => p)];
        SmallModel.AssertClose(probabilities, classifier.Predict(all, Photos));
        // The same as any other program reads it: the file alone, with all weights in it.
        _models.Dispose();
        var plain = SmallModel.Run(
            File.ReadAllBytes(file),
            cut.InputName,
            ClassifierExport.ProbabilitiesOutput,
            all,
            Photos,
            3,
            SmallModel.Size,
            SmallModel.Size
        );
        SmallModel.AssertClose(probabilities, plain.Values);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Predict_MorePhotosThanABatchTakes_KeepsTheirOrder(int mostAtOnce)
    {
        var (cut, head, pixels, probabilities) = Prepare();
        ClassifierExport.Write(_folder.At("classifier.onnx"), cut, head, Info(cut) with { MaxBatch = mostAtOnce });
        using var classifier = Classifier.Open(_folder.At("classifier.onnx"));
        SmallModel.AssertClose(probabilities, classifier.Predict([.. pixels.SelectMany(p => p)], Photos));
    }

    [Fact]
    public void Write_DifferingReplay_RefusesAndLeavesNothing()
    {
        var (cut, head, pixels, probabilities) = Prepare();
        probabilities[7 * Classes + 2] += 0.01f;
        var error = Assert.Throws<JobFailedException>(() =>
            ClassifierExport.Write(_folder.At("classifier.onnx"), cut, head, Info(cut), Replay(pixels, probabilities))
        );
        Assert.Contains("photo 7", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void Write_NaNInReplay_Refuses()
    {
        var (cut, head, pixels, probabilities) = Prepare();
        probabilities[0] = float.NaN;
        Assert.Throws<JobFailedException>(() =>
            ClassifierExport.Write(_folder.At("classifier.onnx"), cut, head, Info(cut), Replay(pixels, probabilities))
        );
    }

    [Fact]
    public void Write_Failure_KeepsTheOldFile()
    {
        var (cut, head, pixels, probabilities) = Prepare();
        var file = _folder.At("classifier.onnx");
        File.WriteAllText(file, "old");
        probabilities[0] = 2;
        Assert.Throws<JobFailedException>(() => ClassifierExport.Write(file, cut, head, Info(cut), Replay(pixels, probabilities)));
        Assert.Equal("old", File.ReadAllText(file));
    }

    [Fact]
    public void Write_SameInput_SameBytes()
    {
        var (cut, head, _, _) = Prepare();
        ClassifierExport.Write(_folder.At("a.onnx"), cut, head, Info(cut));
        ClassifierExport.Write(_folder.At("b.onnx"), cut, head, Info(cut));
        Assert.Equal(File.ReadAllBytes(_folder.At("a.onnx")), File.ReadAllBytes(_folder.At("b.onnx")));
    }

    [Fact]
    public void Write_SecondOfTwoCuts_LeavesTheFirstOut()
    {
        var file = Backbone().Save(_folder);
        var cut = TransferPipeline.Backbones.Backbone.Open(file).Cut(new("features", Pooling.None), CutRequest.Default);
        var head = Head(8);
        ClassifierExport.Write(_folder.At("classifier.onnx"), cut, head, Info(cut), output: 1);
        var model = OnnxFile.Read(_folder.At("classifier.onnx")).Model;
        Assert.Equal(["probabilities", "label_index"], model.Graph.Output.Select(o => o.Name));
        Assert.DoesNotContain(model.Graph.Node, n => n.Output.Contains(cut.Outputs[0].Name));
        Assert.Contains(model.Graph.Node, n => n.Output.Contains(cut.Outputs[1].Name));
    }

    [Fact]
    public void Write_WrongDimensionOrLabelsOrHead_SaysSo()
    {
        var (cut, head, _, _) = Prepare();
        Assert.Contains(
            "vectors of 9 values",
            Assert.Throws<UsageException>(() => ClassifierExport.Write(_folder.At("c.onnx"), cut, Head(9), Info(cut))).Message
        );
        Assert.Contains(
            "5 labels",
            Assert
                .Throws<UsageException>(() =>
                    ClassifierExport.Write(_folder.At("c.onnx"), cut, head, Info(cut) with { Labels = ["a", "b", "c", "d", "e"] })
                )
                .Message
        );
        var other = new LinearTestHead(8, Classes, new float[8 * Classes], new float[Classes]) { NotExportable = "it is made of paper" };
        Assert.Contains(
            "made of paper",
            Assert.Throws<UsageException>(() => ClassifierExport.Write(_folder.At("c.onnx"), cut, other, Info(cut))).Message
        );
    }

    [Fact]
    public void Write_IntoAMissingVolume_FailsInOneLine()
    {
        var (cut, head, _, _) = Prepare();
        File.WriteAllText(_folder.At("plain"), "");
        var error = Assert.Throws<JobFailedException>(() =>
            ClassifierExport.Write(Path.Combine(_folder.Root, "plain", "classifier.onnx"), cut, head, Info(cut))
        );
        Assert.Contains("cannot be written", error.Message);
    }

    [Fact]
    public void Open_SomebodyElsesModel_SaysWhatIsMissing()
    {
        var file = Backbone().Save(_folder);
        Assert.Contains("without the labels", Assert.Throws<BadInputException>(() => Classifier.Open(file)).Message);
    }

    [Fact]
    public void Open_FirstFormat_ReadsItsPascalCaseNames()
    {
        var info = Info(Prepare().Cut) with { Format = 1 };
        var model = new ModelProto();
        model.MetadataProps.Add(
            new StringStringEntryProto
            {
                Key = "transfer.classifier",
                Value = JsonSerializer.Serialize(info, new JsonSerializerOptions { Converters = { new JsonStringEnumConverter() } }),
            }
        );

        var read = ClassifierInfo.ReadFrom("old.onnx", model);

        Assert.Equivalent(info, read, strict: true);
    }

    [Theory]
    [InlineData("\"format\":2", "\"format\":2e99", "are damaged")]
    [InlineData("\"labels\":[", "\"labels\":[null,", "the name of a class is null")]
    [InlineData("\"head\":", "\"head\":null,\"x\":", "are damaged")]
    [InlineData("\"labels\":[", "\"labels\":[\"one more\",", "has 4 values, and its metadata name 5 classes; expected as many")]
    [InlineData("\"input_height\":", "\"input_height\":-", "pixels in batches of")]
    [InlineData("\"input_height\":", "\"input_height\":1", "are damaged (photos of")]
    [InlineData("\"Nchw\"", "\"Nhwc\"", "which its metadata state; expected the same")]
    [InlineData("\"mean\":", "\"x\":", "are damaged (preprocessing without means and deviations)")]
    [InlineData("\"crop_width\":", "\"crop_width\":-", "are damaged (preprocessing: a size below 0")]
    [InlineData("\"crop_width\":", "\"crop_width\":1", "are damaged (photos of")]
    [InlineData("\"labels\":[", "\"labels\":[\"c\",\"c\",", "are damaged (the class 'c' twice)")]
    public void Open_MetadataThatAreNotTheGraphs_AreRefused(string old, string changed, string problem)
    {
        var (cut, head, _, _) = Prepare();
        var file = _folder.At("c.onnx");
        ClassifierExport.Write(file, cut, head, Info(cut));
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file));
        var metadata = model.MetadataProps.Single(p => p.Key == "transfer.classifier");
        Assert.Contains(old, metadata.Value);
        metadata.Value = metadata.Value.Replace(old, changed, StringComparison.Ordinal);
        File.WriteAllBytes(file, model.ToByteArray());
        var error = Assert.Throws<BadInputException>(() => Classifier.Open(file));
        Assert.StartsWith(file + ": ", error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Fact]
    public void Open_FileThatWasConvertedToFloat16_SaysSo()
    {
        // As onnxconverter-common does unless keep_io_types is set.
        var (cut, head, _, _) = Prepare();
        var file = _folder.At("c.onnx");
        ClassifierExport.Write(file, cut, head, Info(cut));
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file));
        var (name, inner) = (ClassifierExport.ProbabilitiesOutput, "probabilities_float");
        GraphEdit.RenameMade(model.Graph, name, inner);
        GraphEdit.Redirect(model.Graph, name, inner);
        var half = (long)TensorProto.Types.DataType.Float16;
        var cast = new NodeProto { OpType = "Cast" };
        cast.Input.Add(inner);
        cast.Output.Add(name);
        cast.Attribute.Add(OnnxAttributes.Create("to", half));
        model.Graph.Node.Add(cast);
        model.Graph.Output.Single(o => o.Name == name).Type.TensorType.ElemType = (int)half;
        File.WriteAllBytes(file, model.ToByteArray());
        Assert.Contains(
            $"its output '{name}' Float16 values; expected Float",
            Assert.Throws<BadInputException>(() => Classifier.Open(file)).Message
        );
    }

    [Fact]
    public void Open_NewerFormat_SaysSo()
    {
        var (cut, head, _, _) = Prepare();
        ClassifierExport.Write(_folder.At("c.onnx"), cut, head, Info(cut) with { Format = 3 });
        Assert.Contains("newer version", Assert.Throws<BadInputException>(() => Classifier.Open(_folder.At("c.onnx"))).Message);
    }

    [Fact]
    public void Write_OnEfficientNetLite0_ReplaysWithinTolerance()
    {
        var cut = TransferPipeline.Backbones.Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx")).Cut();
        var head = Head(1280);
        var pixels = Enumerable.Range(1, 3).Select(i => Probe.Pixels([3, 224, 224], i)).ToArray();
        var vectors = SmallModel.RunCut(cut, [.. pixels.SelectMany(p => p)], 3);
        var probabilities = vectors.Chunk(1280).SelectMany(v => head.Probabilities(v)).ToArray();
        var difference = ClassifierExport.Write(
            _folder.At("c.onnx"),
            cut,
            head,
            Info(cut),
            new Replay(3, (i, p) => pixels[i].CopyTo(p), probabilities)
        );
        Assert.InRange(difference, 0, 1e-5);
    }

    private static SmallModel Backbone()
    {
        var m = new SmallModel();
        // Its own tensor is called as the classifier's output; the export has to make room.
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Graph.Output(feature, "probabilities", TensorProto.Types.DataType.Float, -1, 8);
        m.Model.Graph.Output.Clear();
        return m.Output(m.Gemm("probabilities", 8, SmallModel.Classes));
    }

    private static LinearTestHead Head(int dimension) =>
        new(dimension, Classes, Probe.Pixels([dimension, Classes], 3), Probe.Pixels([Classes], 4));

    private (CutModel Cut, LinearTestHead Head, float[][] Pixels, float[] Probabilities) Prepare()
    {
        var cut = TransferPipeline.Backbones.Backbone.Open(Backbone().Save(_models)).Cut();
        var head = Head(8);
        var pixels = Enumerable.Range(1, Photos).Select(i => Probe.Pixels([3, SmallModel.Size, SmallModel.Size], i)).ToArray();
        var vectors = SmallModel.RunCut(cut, [.. pixels.SelectMany(p => p)], Photos);
        return (cut, head, pixels, [.. vectors.Chunk(8).SelectMany(v => head.Probabilities(v))]);
    }

    private static Replay Replay(float[][] pixels, float[] probabilities) =>
        new(pixels.Length, (i, p) => pixels[i].CopyTo(p), probabilities);

    private static ClassifierInfo Info(CutModel cut) =>
        new()
        {
            Labels = ["ant", "bee \"quoted\"", "<script>", "naïve"],
            Preprocessing = new Preprocessing
            {
                ResizeShortSide = cut.InputHeight * 4 / 3,
                CropWidth = cut.InputWidth,
                CropHeight = cut.InputHeight,
                Interpolation = Interpolation.Bicubic,
                Offset = 127,
                Divisor = 128,
            },
            Layout = cut.Layout,
            InputHeight = cut.InputHeight,
            InputWidth = cut.InputWidth,
            MaxBatch = cut.MaxBatch ?? ClassifierInfo.NoLimit,
            Head = "linear-test",
            HeadSettings = new Dictionary<string, string> { ["C"] = "0.01" },
            Recipe = new Dictionary<string, string> { ["model"] = "small", ["cut"] = "penultimate" },
        };
}
