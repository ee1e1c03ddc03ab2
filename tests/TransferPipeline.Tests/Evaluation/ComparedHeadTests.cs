using TransferPipeline.Evaluation;
using TransferPipeline.Heads;

namespace TransferPipeline.Tests.Evaluation;

public sealed class ComparedHeadTests
{
    [Fact]
    public void Read_AFileThatCannotBeRead_IsWrongInput()
    {
        const string File = "/proc/self/mem";
        if (!OperatingSystem.IsLinux())
            Assert.Skip("needs Linux");
        var error = Assert.Throws<BadInputException>(() => ComparedHead.Read(File, null));
        Assert.StartsWith(File + ": cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AParameterTwice_IsRefused()
    {
        using var folder = new TempFolder();
        var json = ComparisonJson.Serialize(
            Comparer.Run(new(), [Synthetic.Set()], HeadSpec.ParseList("ridge", [], HeadCatalog.Trainers)).Result
        );
        Assert.Equal("ridge", ComparedHead.Read(folder.Write("whole.json", json), null).Name);
        var file = folder.Write("twice.json", json.Replace("\"parameters\":{", "\"parameters\":{\"alpha\":2,", StringComparison.Ordinal));
        Assert.Equal(
            $"{file}: not a comparison that this version wrote (the parameter 'alpha' is given twice)",
            Assert.Throws<BadInputException>(() => ComparedHead.Read(file, null)).Message
        );
    }
}
