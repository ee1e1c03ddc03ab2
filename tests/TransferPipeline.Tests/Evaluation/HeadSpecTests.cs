using TransferPipeline.Evaluation;
using TransferPipeline.Heads;

namespace TransferPipeline.Tests.Evaluation;

public sealed class HeadSpecTests
{
    private static readonly CentroidTrainer[] Trainers = [new(), new("softmax"), new("ridge")];

    [Fact]
    public void ParseList_NamesOptionsAndSweeps_GoToTheirHeads()
    {
        var specs = HeadSpec.ParseList(
            " softmax , centroid:heat=0.1, values=[1, 3,5],ridge:note=512,128,softmax:heat=logspace(-2, 0, 3)",
            ["values=7", "ridge.heat=4"],
            Trainers
        );
        Assert.Equal(
            [
                "softmax values=7",
                "centroid heat=0.1 values=[1, 3,5]",
                "ridge heat=4 note=512,128 values=7",
                "softmax heat=logspace(-2, 0, 3) values=7",
            ],
            specs.Select(s => s.Title)
        );
        Assert.Equal(0.1, double.Parse(specs[1].Options.Values["heat"], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal([1, 3, 5], specs[1].Sweeps.Single().Values.Select(v => v.Number));
        Assert.Equal("512,128", specs[2].Options.Values["note"]);
        Assert.Equal([0.01, 0.1, 1], specs[3].Sweeps.Single().Values.Select(v => v.Number));
    }

    [Fact]
    public void Parse_CoarseToFine_StartsAtClipsSevenValues()
    {
        var sweep = SweepParser.Parse(Trainers[0], "heat", "coarse-to-fine");
        Assert.True(sweep.CoarseToFine);
        Assert.Equal([1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6], sweep.Values);
    }

    [Theory]
    [InlineData("knn:weights=[uniform, distance]", "weights", "uniform|distance")]
    [InlineData("knn:scaling=[l2,none,l2]", "scaling", "l2|none")]
    [InlineData("softmax:class_weight=[none,balanced,(0:1,3:2.5)]", "class_weight", "none|balanced|0:1,3:2.5")]
    [InlineData("mlp:hidden_layer_sizes=[(512,128),(256,),'64,32',128]", "hidden_layer_sizes", "512,128|256|64,32|128")]
    [InlineData("mlp:hidden_layer_sizes=[[512,128],[256]]", "hidden_layer_sizes", "512,128|256")]
    [InlineData("forest:bootstrap=[true,false]", "bootstrap", "true|false")]
    [InlineData("svm-rbf:gamma=[scale,0.01]", "gamma", "scale|0.01")]
    [InlineData("svm-rbf:gamma=[scale,0.01,1e-2,0.010]", "gamma", "scale|0.01")]
    [InlineData("forest:bootstrap=[true,yes,no]", "bootstrap", "true|false")]
    public void ParseList_ListsOfNames_AreSweepsInTheOrderGiven(string list, string option, string names)
    {
        var sweep = HeadSpec.ParseList(list, [], HeadCatalog.Trainers).Single().Sweeps.Single();

        Assert.Equal(option, sweep.Option);
        Assert.Equal(names.Split('|'), sweep.Values.Select(v => v.Name));
    }

    [Theory]
    [InlineData("svm-rbf:gamma=[0.01,0.1]", 0.01, 0.1)]
    [InlineData("svm-rbf:gamma=logspace(-2,-1,2)", 0.01, 0.1)]
    [InlineData("mlp:hidden_layer_sizes=[(256),(64)]", 64, 256)]
    public void ParseList_NumbersOfAnOptionThatTakesWordsToo_HaveAnAxisOfNumbers(string list, double low, double high)
    {
        var sweep = HeadSpec.ParseList(list, [], HeadCatalog.Trainers).Single().Sweeps.Single();

        Assert.All(sweep.Values, v => Assert.Null(v.Name));
        Assert.Equal([low, high], sweep.Values);
    }

    [Theory]
    [InlineData("mlp", "[16,8]")]
    [InlineData("mlp", "[16, 8]")]
    [InlineData("torch-mlp", "[16,8]")]
    public void ParseList_WidthsThatMayBeLayersOrValues_AreRefused(string head, string text)
    {
        var error = Assert.Throws<UsageException>(() =>
            HeadSpec.ParseList(
                $"{head}:hidden_layer_sizes={text}",
                [],
                [.. HeadCatalog.Trainers, new TransferPipeline.TorchSharp.TorchMlp().Trainer]
            )
        );
        Assert.Equal(
            $"{head}: hidden_layer_sizes is '{text}', which can mean one network of 2 layers or 2 networks of one layer; write (16,8) for "
                + "the one network (in YAML in quotes), or [(16),(8)] to try each",
            error.Message
        );
    }

    [Theory]
    [InlineData("(16,8)", "16,8")]
    [InlineData("(100,)", "100")]
    public void ParseList_ATupleOfWidths_IsOneNetwork(string text, string widths)
    {
        var spec = HeadSpec.ParseList($"mlp:hidden_layer_sizes={text}", [], HeadCatalog.Trainers).Single();
        Assert.Empty(spec.Sweeps);
        Assert.Equal(widths, spec.Options.Values["hidden_layer_sizes"]);
    }

    [Fact]
    public void ParseList_AListWithACommaBehindItsLastItem_IsReadAsInPython() =>
        Assert.Equal([1, 2], HeadSpec.ParseList("ridge:heat=[1, 2,]", [], Trainers).Single().Sweeps.Single().Values.Select(v => v.Number));

    [Theory]
    [InlineData("softmax:C=1", "softmax:C=1.0")]
    [InlineData("softmax:C=1e0", "softmax")]
    [InlineData("softmax:C=[1,10,100]", "softmax:C=logspace(0,2,3)")]
    [InlineData("mlp:hidden_layer_sizes=(64,32)", "mlp:hidden_layer_sizes=64, 32")]
    [InlineData("forest:bootstrap=yes", "forest:bootstrap=true")]
    [InlineData("knn:weights=[uniform,distance],n_neighbors=3", "knn:n_neighbors=3,weights=[uniform, distance]")]
    public void ParseList_TwoWritingsOfOneHead_AreRefused(string first, string second)
    {
        var error = Assert.Throws<UsageException>(() => HeadSpec.ParseList($"{first},ridge,{second}", [], HeadCatalog.Trainers));
        Assert.Contains(" are the same head, since their options have the same values; leave one out", error.Message);
    }

    [Theory]
    [InlineData("softmax:C=1,softmax:C=1.0001")]
    [InlineData("softmax:C=[1,10],softmax:C=[1,100]")]
    [InlineData("softmax:C=coarse-to-fine,softmax:C=logspace(-6,6,7)")]
    public void ParseList_HeadsThatDiffer_AreTaken(string list) =>
        Assert.Equal(2, HeadSpec.ParseList(list, [], HeadCatalog.Trainers).Count);

    [Theory]
    [InlineData("nearest-mean:metric=cosine,scaling=standard")]
    [InlineData("nearest-mean:metric=[cosine],scaling=[standard]")]
    public void ParseList_OptionsThatContradict_AreRefusedWithoutData(string list) =>
        Assert.StartsWith(
            "nearest-mean: metric=cosine divides vectors by their length, which scaling=standard would undo",
            Assert.Throws<UsageException>(() => HeadSpec.ParseList(list, [], HeadCatalog.Trainers)).Message
        );

    [Theory]
    [InlineData("0:1,3:2.5")]
    [InlineData("cat:1,dog:2.5")]
    [InlineData("lake:1,forest:2.5")]
    [InlineData("(white cat:1,dog:2.5)")]
    public void ParseList_WeightsOfClasses_AreOneValue(string weights)
    {
        var specs = HeadSpec.ParseList($"softmax:C=2,class_weight={weights},forest:max_depth=3,knn", [], HeadCatalog.Trainers);
        Assert.Equal(["softmax", "forest", "knn"], specs.Select(s => s.Trainer.Name));
        Assert.Equal(weights, specs[0].Options.Values["class_weight"]);
    }

    [Fact]
    public void ParseList_ASettingOfOneHead_ComesBeforeThatOfAll()
    {
        var specs = HeadSpec.ParseList("softmax,ridge", ["heat=2", "softmax.heat=4"], Trainers);
        Assert.Equal(["softmax heat=4", "ridge heat=2"], specs.Select(s => s.Title));
        var error = Assert.Throws<UsageException>(() => HeadSpec.ParseList("softmax", ["heat=2", "heat=3"], Trainers));
        Assert.Equal("heat is set to '2' and '3'; give it one value", error.Message);
    }

    [Fact]
    public void ShortNames_SeveralOfATrainer_HaveTheOptionsInWhichTheyDiffer()
    {
        var specs = HeadSpec.ParseList(
            "softmax:C=[0.1,1],scaling=l2,softmax:C=[0.1,1],knn:n_neighbors=[1,3],ridge:alpha=1,ridge:alpha=2,ridge",
            [],
            HeadCatalog.Trainers
        );
        Assert.Equal(["softmax scaling=l2", "softmax", "knn", "ridge alpha=1", "ridge alpha=2", "ridge"], HeadSpec.ShortNames(specs));
    }

    [Theory]
    [InlineData("sofmax", "there is no head 'sofmax'; did you mean 'softmax'?")]
    [InlineData("softmax:heta=1", "softmax has no option 'heta'; did you mean 'heat'?")]
    [InlineData("softmax:heta=[1,2]", "softmax has no option 'heta'; did you mean 'heat'?")]
    [InlineData("softmax:heat", "'heat' of softmax is not of the form option=value")]
    [InlineData("softmax,5", "'5' is neither a head nor an option of softmax")]
    [InlineData("LogisticRegression", "there is no head 'LogisticRegression'; here it is 'softmax'")]
    [InlineData("random-forest", "there is no head 'random-forest' (heads: centroid, softmax, ridge)")]
    [InlineData("softmax C=1", "'softmax C=1' lacks the colon behind the head: softmax:C=1")]
    [InlineData("heat=1", "'heat=1' comes before any head")]
    [InlineData("", "no head was named (heads: centroid, softmax, ridge)")]
    [InlineData("ridge,softmax,ridge", "the head 'ridge' is listed twice")]
    [InlineData("ridge:heat=1,heat=2", "ridge: heat is given twice")]
    [InlineData("ridge:heat=[0,1]", "ridge: heat is '0', expected a number greater than 0")]
    [InlineData("ridge:heat=[a]", "'a' in the values of heat is not a number")]
    [InlineData("ridge:heat=[]", "heat is an empty list")]
    [InlineData("ridge:heat=[1,2", "whose bracket is not closed")]
    [InlineData("ridge:heat=logspac(1,2,3)", "did you mean 'logspace'?")]
    [InlineData("ridge:heat=logspace(1,2)", "expected logspace(from, to, count)")]
    [InlineData("ridge:values=coarse-to-fine", "values takes whole numbers and has no coarse-to-fine search")]
    [InlineData("ridge:note=[]", "note is an empty list")]
    [InlineData("ridge:heat=[,]", "heat is an empty list")]
    [InlineData("ridge:heat=[1,,2]", "ridge: heat is '[1,,2]', which has an empty item; expected a value")]
    [InlineData("ridge:heat=[,1]", "ridge: heat is '[,1]', which has an empty item")]
    [InlineData("ridge:heat=[1,,]", "ridge: heat is '[1,,]', which has an empty item")]
    [InlineData("ridge:note=[a, ,b]", "ridge: note is '[a, ,b]', which has an empty item")]
    [InlineData("softmax,,ridge", "'softmax,,ridge' has nothing between two commas or at an end")]
    [InlineData("softmax,ridge,", "'softmax,ridge,' has nothing between two commas or at an end")]
    [InlineData(",softmax", "',softmax' has nothing between two commas or at an end")]
    [InlineData("ridge:note=512,,128", "'ridge:note=512,,128' has nothing between two commas or at an end")]
    public void ParseList_Mistakes_AreNamed(string list, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => HeadSpec.ParseList(list, [], Trainers)).Message);

    [Theory]
    [InlineData("knn:weights=[uniform,distanc]", "knn: weights is 'distanc', expected one of uniform, distance; did you mean 'distance'?")]
    [InlineData("knn:weights=[]", "knn: weights is an empty list, expected values such as [uniform,distance]")]
    [InlineData("knn:scaling=logspace(0,1,2)", "knn: scaling takes names, not numbers; list them, such as scaling=[none,standard,l2]")]
    [InlineData(
        "knn:metric=coarse-to-fine",
        "knn: metric takes names and has no coarse-to-fine search; list the values, such as metric=[cosine,euclidean]"
    )]
    [InlineData("forest:bootstrap=[true,maybe]", "forest: bootstrap is 'maybe', expected true or false")]
    public void ParseList_WrongNamesInASweep_AreNamed(string list, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => HeadSpec.ParseList(list, [], HeadCatalog.Trainers)).Message);

    [Theory]
    [InlineData("heat", "'heat' is not of the form option=value")]
    [InlineData("het=1", "no head has an option 'het'; did you mean 'heat'?")]
    [InlineData("ridge.heat=1", "'ridge.heat=1' is for ridge, which is not among the heads")]
    public void ParseList_WrongAssignment_IsNamed(string assignment, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => HeadSpec.ParseList("softmax", [assignment], Trainers)).Message);
}
