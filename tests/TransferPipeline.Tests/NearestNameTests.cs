namespace TransferPipeline.Tests;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("sofmax", "softmax")]
    [InlineData("liner-svm", "linear-svm")]
    [InlineData("rigde", "ridge")]
    public void Of_MisspeltName_FindsIt(string name, string expected) =>
        Assert.Equal(expected, NearestName.Of(name, ["softmax", "linear-svm", "ridge", "knn"]));

    [Theory]
    [InlineData("convolution")]
    [InlineData("9")]
    public void Of_UnrelatedName_FindsNothing(string name) => Assert.Null(NearestName.Of(name, ["softmax", "ridge", "C", "on"]));

    [Theory]
    [InlineData("--batch-size", "--batch")]
    [InlineData("--batch_size", "--batch")]
    [InlineData("--lr", "--learning-rate")]
    [InlineData("--rate", "--learning-rate")]
    [InlineData("--output", "--out")]
    [InlineData("--optim", "--optimizer")]
    [InlineData("--num-threads", "--threads")]
    [InlineData("--step", "--step-size")]
    public void Of_NameOfOtherWords_FindsIt(string name, string expected) =>
        Assert.Equal(
            expected,
            NearestName.Of(name, ["--out", "--threads", "--step-size", "--batch", "--learning-rate", "--optimizer", "--backbone-rate"])
        );

    [Theory]
    [InlineData("--size-of")]
    [InlineData("--x")]
    public void Of_OtherWords_FindsNothing(string name) => Assert.Null(NearestName.Of(name, ["--out", "--step-size", "--learning-rate"]));
}
