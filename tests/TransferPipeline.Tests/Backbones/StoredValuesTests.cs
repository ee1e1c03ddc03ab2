using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Values that a file declares and does not hold, in the file itself and in data files beside it.</summary>
public sealed class StoredValuesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(8L, 3L, 300L)]
    [InlineData(8L, 3L, -3L)]
    [InlineData(1L << 62, 1L << 62, 3L)]
    [InlineData(4_000_000_000L, 4_000_000_000L, 1L)]
    public void Open_ShapeThatTheValuesDoNotFill_IsDamaged(params long[] dims)
    {
        var m = SmallModel.Plain();
        var weights = m.Model.Graph.Initializer.First(i => i.RawData.Length > OnnxFile.InlineLimit);
        weights.Dims.Clear();
        weights.Dims.AddRange(dims);
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)));
        Assert.Contains($"damaged: tensor '{weights.Name}'", error.Message);
        Assert.Contains(string.Join(" x ", dims), error.Message);
    }

    [Fact]
    public void Open_SmallTensorCutShort_IsDamaged()
    {
        var m = SmallModel.Plain();
        var bias = m.Model.Graph.Initializer.First(i => i.Dims.Count == 1);
        bias.RawData = ByteString.CopyFrom(bias.RawData.Span[..^1]);
        Assert.Contains("takes 24 bytes, 23 are there", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Fact]
    public void Open_NameThatIsTaken_IsRefused()
    {
        var twice = SmallModel.Plain();
        twice.Model.Graph.Initializer.Add(twice.Model.Graph.Initializer[^1].Clone());
        Assert.Contains("is there twice", Assert.Throws<BadInputException>(() => Backbone.Open(twice.Save(_folder))).Message);
        var made = SmallModel.Plain();
        made.Model.Graph.Node[^1].Output[0] = made.Input;
        Assert.Contains(
            $"makes '{made.Input}', which is an input or initializer",
            Assert.Throws<BadInputException>(() => Backbone.Open(made.Save(_folder))).Message
        );
    }

    [Theory]
    [InlineData("offset", "9223372036854775807")]
    [InlineData("offset", "4097")]
    [InlineData("length", "9223372036854775807")]
    [InlineData("length", "4")]
    [InlineData("length", "-4")]
    [InlineData("offset", "0x10")]
    [InlineData("location", "/dev/zero")]
    [InlineData("location", "folder/../../data.bin")]
    [InlineData("location", "")]
    [InlineData("location", ".")]
    [InlineData("location", "Data.bin")]
    public void Open_DataElsewhere_IsRefusedInOneLine(string key, string value)
    {
        var m = WithDataFile();
        m.Model.Graph.Initializer.First(i => i.ExternalData.Count > 0).ExternalData.First(e => e.Key == key).Value = value;
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)));
        Assert.StartsWith(_folder.Root, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Cut_DataOfWhichLengthsAreLeftOut_AreThoseOfTheShapes()
    {
        // The specification makes offset and length optional; of a key that is there twice, the last one counts.
        var plain = SmallModel.Plain();
        var pixels = Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size], 5);
        var expected = SmallModel.RunCut(Backbone.Open(plain.Save(_folder, "plain.onnx")).Cut(), pixels, 2);
        var m = WithDataFile();
        foreach (var tensor in m.Model.Graph.Initializer.Where(i => i.ExternalData.Count > 0))
        {
            tensor.ExternalData.Remove(tensor.ExternalData.First(e => e.Key == "length"));
            tensor.ExternalData.Insert(0, new StringStringEntryProto { Key = "location", Value = "nothing.bin" });
        }

        SmallModel.AssertClose(expected, SmallModel.RunCut(Backbone.Open(m.Save(_folder)).Cut(), pixels, 2));
    }

    /// <summary>A model whose matrices and kernels are in data.bin.</summary>
    private SmallModel WithDataFile()
    {
        var m = SmallModel.Plain();
        using var data = File.Create(_folder.At("data.bin"));
        foreach (var tensor in m.Model.Graph.Initializer.Where(i => i.Dims.Count > 1))
        {
            TensorData.SetLocation(tensor, "data.bin", data.Position, tensor.RawData.Length);
            data.Write(tensor.RawData.Span);
            tensor.RawData = ByteString.Empty;
        }

        return m;
    }
}
