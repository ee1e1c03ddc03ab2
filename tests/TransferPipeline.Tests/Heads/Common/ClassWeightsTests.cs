using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Common;

public sealed class ClassWeightsTests
{
    private static readonly string[] Pets = ["cat", "dog", "red, long-haired: owl"];

    [Theory]
    [InlineData("none", 1, 1, 1)]
    [InlineData("dog:2.5", 1, 2.5f, 1)]
    [InlineData("dog : 2.5 , cat:0.5", 0.5f, 2.5f, 1)]
    [InlineData("(cat:3,dog:2)", 3, 2, 1)]
    [InlineData("red, long-haired: owl:4,cat:2", 2, 1, 4)]
    [InlineData("'red, long-haired: owl':4,\"cat\":2", 2, 1, 4)]
    [InlineData("0:1,2:2.5", 1, 1, 2.5f)]
    [InlineData("0:3,dog:2", 3, 2, 1)]
    [InlineData("balanced", 20f / 30, 20f / 15, 20f / 15)]
    public void Of_NamesOrNumbers_GivesAWeightAClass(string text, float cat, float dog, float owl) =>
        Assert.Equal([cat, dog, owl], ClassWeights.Of("softmax", Settings(text), [10, 5, 5], Pets));

    [Fact]
    public void Of_ClassesThatAreCalledByNumbers_TakesNumbersAsNames()
    {
        string[] digits = ["0", "1", "10", "2"];
        Assert.Equal([1, 1, 5, 3], ClassWeights.Of("softmax", Settings("10:5,2:3"), [1, 1, 1, 1], digits));
        Assert.Contains("there is no class '3'", Error("3:2", digits));
    }

    [Fact]
    public void Of_NameThatBeginsAnother_IsTheOneThatAWeightFollows() =>
        Assert.Equal([2, 3], ClassWeights.Of("softmax", Settings("cat:2,cat, white:3"), [1, 1], ["cat", "cat, white"]));

    [Theory]
    [InlineData(
        "dgo:2",
        "softmax: class_weight is 'dgo:2', but there is no class 'dgo'; did you mean 'dog'? (classes: cat, dog, red, long-haired: owl)"
    )]
    [InlineData("dog:2,dog:3", "gives class 'dog' two weights")]
    [InlineData("1:2,dog:3", "gives class 'dog' two weights")]
    [InlineData(
        "dog:0",
        "expected none, balanced or pairs class:weight such as cat:1,dog:2.5 with names or numbers of classes, 0 to 2, and weights "
            + "greater than 0"
    )]
    [InlineData("dog", "expected none, balanced or pairs")]
    [InlineData("dog:x", "expected none, balanced or pairs")]
    [InlineData("3:1", "0 to 2")]
    [InlineData("-1:1", "0 to 2")]
    [InlineData("balancd", "expected none, balanced or pairs")]
    public void Check_WrongText_SaysWhatIsExpected(string text, string expected) => Assert.Contains(expected, Error(text, Pets));

    [Theory]
    [InlineData("softmax")]
    [InlineData("logistic")]
    [InlineData("linear-svm")]
    [InlineData("ridge")]
    [InlineData("svm-rbf")]
    [InlineData("forest")]
    [InlineData("mlp")]
    [InlineData("linear-sgd")]
    public void Train_WeightsByName_AreThoseByNumber(string head)
    {
        var (x, y) = Mixture.Create(60, 5, 3, 2, spread: 3);
        var trainer = HeadCatalog.Find(head);
        float[] Scores(string weights) =>
            HeadChecks.Scores(
                trainer.Train(
                    Mixture.Training(x, y, 60) with
                    {
                        ClassNames = Pets,
                    },
                    Mixture.Settings(trainer, ("class_weight", weights)),
                    new()
                ),
                x,
                [.. Enumerable.Range(0, 60)]
            );

        var byName = Scores("dog:6,cat:0.5");
        Assert.Equal(Scores("0:0.5,1:6"), byName);
        Assert.NotEqual(Scores("none"), byName);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("()")]
    public void Check_NoWeights_AreRefused(string text) =>
        Assert.Contains("expected none, balanced or pairs class:weight", Error(text, Pets), StringComparison.Ordinal);

    private static Softmax Settings(string text) => new() { ClassWeight = text };

    private static string Error(string text, string[] names) =>
        Assert.Throws<UsageException>(() => ClassWeights.Check("softmax", text, names)).Message;
}
