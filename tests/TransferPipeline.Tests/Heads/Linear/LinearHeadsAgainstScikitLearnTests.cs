namespace TransferPipeline.Tests.Heads.Linear;

public sealed class LinearHeadsAgainstScikitLearnTests
{
    public static TheoryData<string, string> Softmax => Goldens.Cases("softmax");

    public static TheoryData<string, string> Logistic => Goldens.Cases("logistic");

    public static TheoryData<string, string> LinearSvm => Goldens.Cases("linear-svm");

    public static TheoryData<string, string> Ridge => Goldens.Cases("ridge");

    public static TheoryData<string, string> NearestMean => Goldens.Cases("nearest-mean");

    public static TheoryData<string, string> Lda => Goldens.Cases("lda");

    [Theory]
    [MemberData(nameof(Softmax))]
    public void Softmax_AnyOptions_HasScikitLearnsProbabilities(string data, string options) =>
        Goldens.Check("softmax", data, options, 1e-2f, 1e-4f);

    [Theory]
    [MemberData(nameof(Logistic))]
    public void Logistic_AnyOptions_HasScikitLearnsProbabilities(string data, string options) =>
        Goldens.Check("logistic", data, options, 1e-2f, 1e-4f);

    [Theory]
    [MemberData(nameof(LinearSvm))]
    public void LinearSvm_AnyOptions_HasLinearSvcsDecisionValues(string data, string options) =>
        Goldens.Check("linear-svm", data, options, 1e-3f, 1e-3f);

    [Theory]
    [MemberData(nameof(Ridge))]
    public void Ridge_AnyOptions_HasRidgeClassifiersDecisionValues(string data, string options) =>
        Goldens.Check("ridge", data, options, 1e-4f, 1e-4f);

    [Theory]
    [MemberData(nameof(NearestMean))]
    public void NearestMean_AnyOptions_HasNearestCentroidsScores(string data, string options) =>
        Goldens.Check("nearest-mean", data, options, 1e-5f, 1e-5f);

    [Theory]
    [MemberData(nameof(Lda))]
    public void Lda_AnyOptions_HasScikitLearnsDecisionValues(string data, string options) =>
        Goldens.Check("lda", data, options, 1e-4f, 1e-5f);
}
