using TransferPipeline.Pipelines.Yaml;

namespace TransferPipeline.Tests.Pipelines;

public sealed class YamlDocumentTests
{
    [Fact]
    public void RejectUnknown_MisspeltKey_NamesLineAndNearest()
    {
        var map = YamlDocument.Parse("job.yaml", "data:\n  path: photos\nmodl: resnet18\n").Root;
        map.Map("data");
        map.Text("model");
        var error = Assert.Throws<BadInputException>(map.RejectUnknown);
        Assert.Equal("job.yaml:3: unknown key 'modl'; did you mean 'model'? (known here: data, model)", error.Message);
    }

    [Fact]
    public void Integer_WrongValue_NamesLineFoundAndExpected()
    {
        var map = YamlDocument.Parse("job.yaml", "evaluation:\n  folds: many\n").Root.Map("evaluation")!;
        var error = Assert.Throws<BadInputException>(() => map.Integer("folds", 10, minimum: 2));
        Assert.Equal("job.yaml:2: evaluation.folds is 'many', expected a whole number of at least 2", error.Message);
    }

    [Fact]
    public void Set_NestedAndListPaths_ReplacesOrAdds()
    {
        var document = YamlDocument.Parse("job.yaml", "model: a\nheads:\n  - softmax: {C: 1}\n");
        document.Set("evaluation.folds=5");
        document.Set("heads.0.softmax.C=0.5");
        document.Set("model=[a, b]");
        Assert.Equal(5, document.Root.Map("evaluation")!.Integer("folds", 10));
        Assert.Equal("0.5", document.Root.List("heads")[0].Map.Map("softmax")!.Text("C"));
        Assert.Equal(["a", "b"], document.Root.Texts("model"));
    }

    [Theory]
    [InlineData("model", "--set 'model' is not of the form a.b=value")]
    [InlineData("model.name=x", "--set 'model.name=x': 'model' is a plain value in job.yaml, not a mapping")]
    [InlineData("heads.3=x", "--set 'heads.3=x': '3' is not a position in a list of 1")]
    public void Set_WrongPath_IsRefused(string assignment, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => YamlDocument.Parse("job.yaml", "model: a\nheads: [softmax]\n").Set(assignment)).Message);

    [Theory]
    [InlineData("", "job.yaml: is empty; expected a mapping with the keys data, model and heads")]
    [InlineData("- a\n- b\n", "job.yaml:1: found a list, expected a mapping with the keys data, model and heads")]
    public void Parse_NotAMapping_IsRefused(string text, string message) =>
        Assert.Equal(message, Assert.Throws<BadInputException>(() => YamlDocument.Parse("job.yaml", text)).Message);
}
