using System.Text.RegularExpressions;

namespace TransferPipeline.Tests;

/// <summary>
/// ONNX Runtime and libtorch read options and numbers during a call that has their native part alone. An object that no variable holds is
/// freed by a garbage collection in that time, and the process ends.
/// </summary>
public sealed partial class NativeOptionsTests
{
    [Fact]
    public void OptionsAndNumbers_AreVariablesThatAreDisposed()
    {
        var loose =
            from folder in (string[])["src", "tests"]
            from file in Directory.EnumerateFiles(Path.Combine(SharedData.Repository, folder), "*.cs", SearchOption.AllDirectories)
            // It keeps its numbers for good.
            where Path.GetFileName(file) is not ("Scalars.cs" or nameof(NativeOptionsTests) + ".cs")
            let text = File.ReadAllText(file)
            // Vectors of .NET have a ToScalar too.
            where text.Contains("OnnxRuntime", StringComparison.Ordinal) || text.Contains("TorchSharp", StringComparison.Ordinal)
            let made = Made().Count(text)
            where made > Held().Count(text)
            select $"{Path.GetRelativePath(SharedData.Repository, file)}: {made} made, {Held().Count(text)} in a using";
        Assert.Empty(loose);
    }

    [Theory]
    [InlineData("session.Run(new RunOptions(), inputs);", false)]
    [InlineData("var run = new RunOptions();", false)]
    [InlineData("using var run = new RunOptions();", true)]
    [InlineData("using (\n    var options = new SessionOptions { })", true)]
    [InlineData("values.mul_((1 - rate).ToScalar());", false)]
    [InlineData("using var left = (1 - rate).ToScalar();", true)]
    public void Held_IsAVariableOfAUsing(string code, bool isHeld)
    {
        Assert.Equal(1, Made().Count(code));
        Assert.Equal(isHeld ? 1 : 0, Held().Count(code));
    }

    [GeneratedRegex(@"\bnew (RunOptions|SessionOptions|OrtIoBinding)\b|\.ToScalar\(\)")]
    private static partial Regex Made();

    [GeneratedRegex(@"\busing\s*\(?\s*var \w+ = (new (RunOptions|SessionOptions|OrtIoBinding)\b|[^;]*\.ToScalar\(\))")]
    private static partial Regex Held();
}
