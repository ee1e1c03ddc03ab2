using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Tuning;

namespace TransferPipeline.Tests.Cli;

/// <summary><c>transfer finetune</c> on a few photos: its files, resuming, and what it refuses.</summary>
public sealed partial class FinetuneTests : IDisposable
{
    private static readonly string[] Classes = ["dress", "hat"];

    private readonly TempFolder _folder = new();

    public FinetuneTests()
    {
        var doctor = TransferProcess.Run("heads", "--json");
        var torch = JsonNode.Parse(doctor.Output)!.AsArray().First(h => h!["name"]!.GetValue<string>() == "torch-linear")!;
        if (!torch["available"]!.GetValue<bool>())
            Assert.Skip("needs libtorch");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Finetune_WritesABackboneThatEveryCommandTakes()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 6, Classes);
        var result = Finetune(photos, "tuned.onnx", "--classifier", _folder.At("classifier.onnx"), "--json");
        var json = JsonNode.Parse(result.Output)!;
        Assert.Equal("/_blocks.13/Add_output_0", json["cut"]!.GetValue<string>());
        Assert.InRange(json["write_back_difference"]!.GetValue<double>(), 0, 1e-5);
        Assert.Equal([1, 2], json["history"]!.AsArray().Select(e => e!["epoch"]!.GetValue<int>()));
        Assert.Equal(12, json["tuned"]!["photos"]!.GetValue<int>());
        // It starts from a head that knows these photos.
        Assert.All(json["history"]!.AsArray(), e => Assert.InRange(e!["train_loss"]!.GetValue<double>(), 1e-6, 0.5));

        // Its manifest states the preprocessing, so that the file passes for any model, and its vectors are others.
        Ok("extract", "--data", photos, "--model", _folder.At("tuned.onnx"), "--out", _folder.At("set"));
        Ok("extract", "--data", photos, "--model", "efficientnet-lite0", "--out", _folder.At("frozen"));
        var (tuned, frozen) = (Recipe("set"), Recipe("frozen"));
        Assert.Equal(json["sha256"]!.GetValue<string>(), tuned["model_sha256"]!.GetValue<string>());
        Assert.Equal(frozen["preprocessing"]!.ToJsonString(), tuned["preprocessing"]!.ToJsonString());

        // The head comes back as one of a comparison, with its accuracy as the job stated it.
        var compared = Ok(
            "compare",
            "--features",
            _folder.At("frozen"),
            "--features",
            _folder.At("set"),
            "--heads",
            "softmax",
            "--classifier",
            _folder.At("classifier.onnx"),
            "--json"
        );
        var comparison = JsonNode.Parse(compared.Output)!;
        var heads = comparison["heads"]!.AsArray();
        Assert.Equal(["softmax", "softmax", "tuned"], heads.Select(h => h!["name"]!.GetValue<string>()));
        Assert.Equal(json["tuned"]!["accuracy"]!.GetValue<double>(), heads[2]!["accuracy"]!.GetValue<double>(), 12);
        Assert.Contains(comparison["tests"]!.AsArray(), t => t!["second"]!.GetValue<int>() == 2);

        var predicted = Ok("predict", _folder.At("classifier.onnx"), SamplePhotos.Photos("train", "hat").First(), "--format", "csv");
        Assert.Contains("hat", predicted.Output, StringComparison.Ordinal);

        // The classifier's head is no head of the frozen set.
        var wrong = TransferProcess.Run(
            "compare",
            "--features",
            _folder.At("frozen"),
            "--heads",
            "softmax",
            "--classifier",
            _folder.At("classifier.onnx")
        );
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("model_sha256", wrong.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Finetune_TwiceAndWithOneOrTwoThreads_WritesTheSameBytes()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 5, Classes);
        Finetune(photos, "one.onnx", "--threads", "1", "--cache", _folder.At("cache-one"));
        Finetune(photos, "two.onnx", "--threads", "2", "--cache", _folder.At("cache-two"));
        Assert.Equal(Hash("one.onnx"), Hash("two.onnx"));
        File.Delete(_folder.At("two.onnx"));
        var again = Finetune(photos, "two.onnx", "--threads", "2", "--cache", _folder.At("cache-two"));
        Assert.Equal(Hash("one.onnx"), Hash("two.onnx"));
        Assert.DoesNotContain("trained before", again.Error, StringComparison.Ordinal);

        // Unchanged, nothing is trained; with another seed all is.
        var unchanged = Finetune(photos, "two.onnx", "--threads", "2", "--cache", _folder.At("cache-two"));
        Assert.Contains("trained before", unchanged.Error, StringComparison.Ordinal);
        Finetune(photos, "two.onnx", "--threads", "2", "--cache", _folder.At("cache-two"), "--seed", "1");
        Assert.NotEqual(Hash("one.onnx"), Hash("two.onnx"));
    }

    [Fact]
    public void Finetune_FilesThatWereReplacedSince_AreWrittenAgain()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        string[] more = ["--epochs", "1", "--classifier", _folder.At("classifier.onnx")];
        Finetune(photos, "tuned.onnx", more);
        var (classifier, manifest) = (Hash("classifier.onnx"), Hash("tuned.yaml"));
        foreach (var file in new[] { "classifier.onnx", "tuned.yaml" })
        {
            File.WriteAllText(_folder.At(file), "another file");
            Assert.DoesNotContain("trained before", Finetune(photos, "tuned.onnx", more).Error, StringComparison.Ordinal);
            Assert.Equal((classifier, manifest), (Hash("classifier.onnx"), Hash("tuned.yaml")));
        }

        Assert.Contains("trained before", Finetune(photos, "tuned.onnx", more).Error, StringComparison.Ordinal);
    }

    /// <summary>By a link to the file, and through a link to its folder.</summary>
    [Theory]
    [InlineData("link.onnx", "--out")]
    [InlineData("folder/model.onnx", "--out")]
    [InlineData("link.onnx", "--classifier")]
    [InlineData("tuned.onnx", "--classifier")]
    public void Finetune_OntoABackbone_IsRefused(string file, string option)
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        var model = _folder.At("models", "model.onnx");
        File.Copy(SharedData.RequireModel("efficientnet-lite0.onnx"), model);
        File.CreateSymbolicLink(_folder.At("link.onnx"), model);
        Directory.CreateSymbolicLink(_folder.At("folder"), Path.GetDirectoryName(model)!);
        var before = Hash("models/model.onnx");
        var result = TransferProcess.Run(Arguments(photos, "tuned.onnx", ["--model", model, option, Path.Combine(_folder.Root, file)]));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("choose another name for the", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Equal(before, Hash("models/model.onnx"));
    }

    /// <summary>A real kill after an epoch: the next run goes on there and ends with the bytes of an undisturbed one.</summary>
    [Fact]
    public void Finetune_Killed_GoesOnAtTheLastWholeEpoch()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 12, Classes);
        string[] more = ["--epochs", "4", "--keep", "average"];
        Finetune(photos, "undisturbed.onnx", more);
        var checkpoint = _folder.At("killed.cache", "checkpoint");
        using (var process = TransferProcess.Start(_folder.Root, null, Arguments(photos, "killed.onnx", more)))
        {
            for (var waited = 0; !File.Exists(checkpoint) && !process.HasExited && waited < 120_000; waited += 5)
                Thread.Sleep(5);
            process.Kill();
            process.WaitForExit();
        }

        Assert.True(File.Exists(checkpoint), "ended before it was killed");
        Assert.False(File.Exists(_folder.At("killed.onnx")));
        var resumed = Finetune(photos, "killed.onnx", more);
        Assert.Contains("goes on after epoch", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(Hash("undisturbed.onnx"), Hash("killed.onnx"));
        Assert.False(File.Exists(checkpoint));
    }

    /// <summary>Fresh copies in every epoch, and the pixels themselves as what is trained on.</summary>
    [Theory]
    [InlineData("last-block", "lp")]
    [InlineData("all", "random")]
    public void Finetune_WithoutCachedViews_CachesNoActivations(string cut, string start)
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        var result = Finetune(photos, "tuned.onnx", "--views", "0", "--cut", cut, "--start", start, "--epochs", "1", "--json");
        Assert.Equal(start == "random", JsonNode.Parse(result.Output)!["frozen"] is null);
        Assert.Equal(start == "random", result.Error.Contains("can diverge", StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.At("tuned.cache", "activations")));
        Assert.True(File.Exists(_folder.At("tuned.cache", "features", "manifest.json")));
        Assert.Equal("the last epoch", JsonNode.Parse(result.Output)!["kept"]!.GetValue<string>());
    }

    /// <summary>
    /// A transformer from its pixels on: its class token, positions and biases train, its mask does not, and the file
    /// has them.
    /// </summary>
    [Fact]
    public void Finetune_OfATransformer_TrainsItsTablesAndNotItsMask()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 4, Classes);
        var (model, tables) = TunedNetworks.Transformer();
        var file = model.Save(_folder);
        var json = JsonNode.Parse(Finetune(photos, "tuned.onnx", [.. Whole(file), "--json"]).Output)!;
        Assert.InRange(json["write_back_difference"]!.GetValue<double>(), 0, 1e-5);
        var (before, after) = (Weights(file), Weights(_folder.At("tuned.onnx")));
        Assert.All(new[] { tables.Token, tables.Positions, tables.Bias }, name => Assert.NotEqual(before[name], after[name]));
        Assert.Equal(before[tables.Mask], after[tables.Mask]);
        // All of it but the mask, the factor of attention and the classifier of 7 classes.
        Assert.Equal(
            before.Where(w => w.Key != tables.Mask).Sum(w => w.Value.Length) - 1 - 7 * 9,
            json["trained_parameters"]!.GetValue<long>()
        );
    }

    /// <summary>As Inception v3: the branch of the early classifier trains too, and so does what it shares with the other one.</summary>
    [Fact]
    public void Finetune_WithAnAuxiliaryClassifier_TrainsItsBranch()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 4, Classes);
        var (model, _, branch) = TunedNetworks.WithAuxiliary();
        var file = model.Save(_folder);
        var result = Finetune(photos, "tuned.onnx", [.. Whole(file), "--start", "random", "--json"]);
        Assert.Contains("its loss counts 0.4 times", result.Error, StringComparison.Ordinal);
        var (before, after) = (Weights(file), Weights(_folder.At("tuned.onnx")));
        Assert.NotEqual(before[branch], after[branch]);
        // The same network with one classifier trains otherwise.
        var alone = model.Model.Clone();
        alone.Graph.Output.RemoveAt(1);
        var other = _folder.Write("alone.onnx", Google.Protobuf.MessageExtensions.ToByteArray(alone));
        Finetune(photos, "other.onnx", [.. Whole(other), "--start", "random", "--json"]);
        var shared = alone.Graph.Node.First(n => n.OpType == "Conv").Input[1];
        Assert.NotEqual(after[shared], Weights(_folder.At("other.onnx"))[shared]);
        Assert.Equal(before[branch], Weights(_folder.At("other.onnx"))[branch]);
    }

    private static string[] Whole(string file) => ["--model", file, "--cut", "all", "--views", "0", "--learning-rate", "0.01"];

    private static Dictionary<string, float[]> Weights(string file) =>
        OnnxFile
            .Read(file)
            .Model.Graph.Initializer.Where(t => t.DataType == (int)TensorProto.Types.DataType.Float)
            .ToDictionary(t => t.Name, TensorData.Floats);

    [Fact]
    public void Finetune_OtherCopies_AreAnotherSetOfActivations()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        string[] shared = ["--epochs", "1", "--cache", _folder.At("cache")];
        Finetune(photos, "a.onnx", shared);
        var other = Finetune(photos, "b.onnx", [.. shared, "--crop-scale", "0.5"]);
        Assert.Contains("augmentation was", other.Error, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetDirectories(_folder.At("cache"), "activations*").Length);
        // Options that do not change activations compute none.
        var reused = Finetune(photos, "c.onnx", [.. shared, "--learning-rate", "0.01", "--json"]);
        Assert.Equal(2, Directory.GetDirectories(_folder.At("cache"), "activations*").Length);
        Assert.NotEqual(Hash("a.onnx"), Hash("c.onnx"));
        Assert.DoesNotContain(" a second", reused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is quantized", "--model", "INT8")]
    [InlineData("transfer train", "--cut", "/Reshape_output_0")]
    [InlineData("does not separate", "--cut", "/_blocks.2/_expand_conv/Conv_output_0")]
    [InlineData("no tensor 'blocks.99'", "--cut", "blocks.99")]
    [InlineData("no cut 'last-stag'; did you mean 'last-stage'? (cuts: last-stage, last-block, all,", "--cut", "last-stag")]
    [InlineData("no class 'cat'", "--class-weight", "cat:2,hat:1")]
    [InlineData("warmup is 5", "--warmup", "5")]
    [InlineData("held-out 0.1 of 2 training photos", "--keep", "best")]
    [InlineData("GB of memory", "--batch", "65536")]
    [InlineData("no photos in split validation", "--data", "TRAIN")]
    [InlineData("class 'hat' has no photo in split train", "--data", "EVALUATED")]
    [InlineData("no class has two photos to train on", "--data", "ALONE")]
    [InlineData("device cuda cannot be used", "--device", "cuda")]
    [InlineData("expected the name of a file that ends in .onnx", "--out", "/dev/null")]
    public void Finetune_WhatCannotBeTrained_IsRefusedBeforeAnythingIsComputed(string expected, string option, string value)
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        value = value switch
        {
            "INT8" => SharedData.RequireModel("efficientnet-lite0-int8.onnx"),
            "TRAIN" => OnlyTrain(photos),
            "EVALUATED" => WithoutTraining(photos, "hat"),
            "ALONE" => SamplePhotos.Copy(_folder.At("alone"), 1, Classes),
            _ => value,
        };
        var arguments = Arguments(photos, "tuned.onnx", []);
        var at = Array.IndexOf(arguments, option);
        if (at >= 0)
            arguments[at + 1] = value;
        else
            arguments = [.. arguments, option, value];
        var result = TransferProcess.Run(arguments);
        Assert.Contains(expected, result.LastErrorLine, StringComparison.Ordinal);
        Assert.InRange(result.ExitCode, 1, 2);
        Assert.False(Directory.Exists(_folder.At("tuned.cache")));
        Assert.False(File.Exists(_folder.At("tuned.onnx")));
    }

    /// <summary>A pipeline trains, extracts with what it trained, and compares both; a second run trains nothing.</summary>
    [Fact]
    public void Run_WithFinetune_ComparesTunedAndFrozen()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 6, Classes);
        var pipeline = _folder.Write(
            "p.yaml",
            $$"""
            data: { path: "{{photos}}" }
            model: efficientnet-lite0
            heads: [softmax, ridge]
            finetune: { cut: last-block, views: 1, epochs: 1, batch: 8 }
            export: classifier.onnx
            report: report.html
            """
        );
        // What cannot be trained is refused before the frozen features are extracted.
        var early = TransferProcess.Run("run", pipeline, "--out", _folder.At("early"), "--set", "finetune.cut=blocks.99");
        Assert.Equal(2, early.ExitCode);
        Assert.Contains("no tensor 'blocks.99'", early.LastErrorLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("early")));
        var plan = Ok("run", pipeline, "--dry-run");
        Assert.Contains("fine-tuning: efficientnet-lite0 above '/_blocks.13/Add_output_0'", plan.Output, StringComparison.Ordinal);
        // Two files of 19 MB, and activations of 24 photos and 12 copies; vectors are 0.2 MB.
        Assert.InRange(Megabytes(plan), 38, 45);
        var int8 = Ok("run", pipeline, "--dry-run", "--set", "extract.precision=int8");
        Assert.Contains("tuned backbones stay in float", int8.Output, StringComparison.Ordinal);
        Ok("run", pipeline, "--out", _folder.At("out"));
        var comparison = JsonNode.Parse(File.ReadAllText(_folder.At("out", "comparison.json")))!;
        var names = comparison["heads"]!.AsArray().Select(h => $"{h!["name"]} {h["feature_set"]}").ToArray();
        Assert.Equal(["softmax 0", "ridge 0", "softmax 1", "ridge 1", "tuned 1"], names);
        Assert.Single(comparison["heads"]![4]!["history"]!.AsArray());
        Assert.Equal("efficientnet-lite0-tuned", comparison["provenance"]!["feature_sets"]![1]!["model"]!.GetValue<string>());
        Assert.Contains("tuned on efficientnet-lite0-tuned", File.ReadAllText(_folder.At("out", "report.html")), StringComparison.Ordinal);

        Assert.InRange(Megabytes(Ok("run", pipeline, "--out", _folder.At("out"), "--dry-run")), 0, 0.1);
        var again = Ok("run", pipeline, "--out", _folder.At("out"));
        Assert.Contains("trained before", again.Error, StringComparison.Ordinal);
        var frozen = Ok("run", pipeline, "--out", _folder.At("frozen"), "--set", "feature_extract=true");
        Assert.False(File.Exists(_folder.At("frozen", "efficientnet-lite0-tuned.onnx")), frozen.Output);
        var folds = TransferProcess.Run("run", pipeline, "--set", "evaluation.protocol=k-fold");
        Assert.Equal(2, folds.ExitCode);
        Assert.Contains("finetune", folds.LastErrorLine, StringComparison.Ordinal);
    }

    private static double Megabytes(TransferResult plan) =>
        double.Parse(Regex.Match(plan.Output, @"([\d.]+) MB of").Groups[1].Value, CultureInfo.InvariantCulture);

    private static string WithoutTraining(string photos, string label)
    {
        Directory.Delete(Path.Combine(photos, "train", label), recursive: true);
        return photos;
    }

    private static string OnlyTrain(string photos)
    {
        Directory.Delete(Path.Combine(photos, "validation"), recursive: true);
        // Two split folders, none of them for validation.
        Directory.CreateDirectory(Path.Combine(photos, "test"));
        foreach (var label in Classes)
        {
            var target = Directory.CreateDirectory(Path.Combine(photos, "test", label)).FullName;
            File.Copy(SamplePhotos.Photos("validation", label).First(), Path.Combine(target, "1.jpg"));
        }

        return photos;
    }

    private TransferResult Finetune(string photos, string file, params string[] more) => Ok(Arguments(photos, file, more));

    private string[] Arguments(string photos, string file, string[] more)
    {
        string[] all =
        [
            "finetune",
            "--data",
            photos,
            "--model",
            "efficientnet-lite0",
            "--out",
            _folder.At(file),
            "--cut",
            "last-block",
            "--views",
            "1",
            "--epochs",
            "2",
            "--batch",
            "8",
        ];
        // A later value takes the place of an earlier one.
        for (var i = 0; i + 1 < more.Length; i += 2)
        {
            var at = Array.IndexOf(all, more[i]);
            if (at >= 0)
                all[at + 1] = more[i + 1];
            else
                all = [.. all, more[i], more[i + 1]];
        }

        return more.Length % 2 == 1 ? [.. all, more[^1]] : all;
    }

    private static TransferResult Ok(params string[] arguments)
    {
        var result = TransferProcess.Run(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }

    private JsonNode Recipe(string set) => JsonNode.Parse(File.ReadAllText(_folder.At(set, "manifest.json")))!["recipe"]!;

    private string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_folder.At(file))));
}
