namespace TransferPipeline.Tests;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("sofmax", "softmax")]
    [InlineData("liner-svm", "linear-svm")]
    [InlineData("rigde", "ridge")]
    public void Of_MisspeltName_FindsIt(string name, string expected) =>
        Assert.Equal(expected, NearestName.Of(name, ["softmax", "linear-svm", "ridge", "knn"]));

    [Fact]
    public void Of_UnrelatedName_FindsNothing() => Assert.Null(NearestName.Of("convolution", ["softmax", "ridge"]));
}
