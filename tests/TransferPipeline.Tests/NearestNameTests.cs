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
}
