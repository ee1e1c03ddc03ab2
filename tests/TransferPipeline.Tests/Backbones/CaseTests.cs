using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Backbones;

/// <summary>The ONNX files of shared/cases that went wrong once, each with its right answer.</summary>
public sealed class CaseTests : IDisposable
{
    private const string Absent = "(no shared folder)";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Folder, file, and what expected.tsv calls right.</summary>
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        var root = Path.Combine(SharedData.Root, "cases");
        if (!Directory.Exists(root))
            data.Add(Absent, "");
        else
        {
            foreach (var folder in Directory.GetDirectories(root, "onnx-*").Order(StringComparer.Ordinal))
            {
                foreach (var line in File.ReadLines(Path.Combine(folder, "expected.tsv")))
                {
                    if (line.Split('\t').FirstOrDefault(c => c.EndsWith(".onnx", StringComparison.Ordinal)) is { } file)
                        data.Add(Path.GetFileName(folder), file);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_OfEachKind_IsRight(string folder, string name)
    {
        if (folder == Absent)
            Assert.Skip("needs cases in the shared folder");
        var file = SharedData.Require("cases", folder, name);
        var store = PhotoVectors.EmptyStore(_folder);
        switch (folder)
        {
            case "onnx-not-onnx":
                AssertOneLine<BadInputException>(
                    () => Backbone.Open(file).Cut(),
                    name[..2] switch
                    {
                        "90" => "Git LFS pointer",
                        "91" => "web page",
                        "94" => "PyTorch checkpoint",
                        "95" => "TensorFlow Lite",
                        _ => "opset 99",
                    }
                );
                return;
            case "onnx-external-data":
                file = WithLinks(
                    SharedData.Require("cases", folder, "hugging-face-cache"),
                    Path.GetRelativePath("hugging-face-cache", name)
                );
                AssertVectors(
                    store.Resolve(file),
                    CutRequest.Default,
                    SharedData.Require("cases", folder, "hugging-face-cache.expected.npy")
                );
                return;
            case "onnx-open-size":
                var added = store.Add(file, "open", p => p with { ResizeShortSide = 110, CropHeight = 96, CropWidth = 96 });
                Assert.Equal((96, 96), (added.Manifest.InputSize, added.Manifest.Preprocessing.CropHeight));
                Assert.Equal(100 * 16, PhotoVectors.Of(store.Resolve("open"), CutRequest.Default, PhotoVectors.Validation).Length);
                return;
        }

        var expected = Path.ChangeExtension(file, ".expected.npy");
        var model = store.Resolve(file);
        if (name.StartsWith("43-", StringComparison.Ordinal))
        {
            AssertOneLine<UsageException>(() => model.Explicit(CutRequest.Default), "'feat' (1 x 16), 'q_feat' (1 x 16)");
            Assert.Equal(100 * 16, PhotoVectors.Of(model, new("feat", Pooling.None), PhotoVectors.Validation).Length);
        }
        else if (File.Exists(expected))
        {
            AssertVectors(
                model,
                new(name.StartsWith("53-", StringComparison.Ordinal) ? "cls" : CutRequest.Penultimate, Pooling.None),
                expected
            );
        }
        else if (folder == "onnx-random")
        {
            AssertOneLine<BadInputException>(() => Backbone.Open(file).Cut(), "exported in training mode?");
        }
        else if (name.StartsWith("35-", StringComparison.Ordinal))
        {
            Assert.Equal("map", Backbone.Open(file).Cut().Outputs[0].Tensor);
        }
        else
        {
            Assert.StartsWith("72-", name, StringComparison.Ordinal);
            Assert.Equal((64, 0.0, 255.0), (model.Preprocessing.ResizeShortSide, model.Preprocessing.Offset, model.Preprocessing.Divisor));
        }

        // Without a manifest, one line says which preprocessing is used.
        Assert.Contains(
            "no manifest; preprocessing: ",
            name.StartsWith("43-", StringComparison.Ordinal)
                ? model.Notes([new("feat", Pooling.None)])[0]
                : model.Notes([CutRequest.Default])[0]
        );
    }

    [Theory]
    [InlineData("51-clip-projection-normalized.onnx", "scaling to length 1", "its output 'image_embeds' (12 values) is the feature")]
    [InlineData("53-vit-pooler-tanh.onnx", "no classifier", "its output 'pooler_output' (16 values) is the feature")]
    [InlineData("50-headless.onnx", "no classifier", "its output 'feat' (16 values) is the feature")]
    public void Notes_Encoder_SayWhichTensorWasTaken(string name, string why, string taken)
    {
        var note = PhotoVectors.EmptyStore(_folder).Resolve(SharedData.Require("cases", "onnx-encoder", name)).Notes([CutRequest.Default])[
            ^1
        ];
        Assert.Contains(why, note);
        Assert.Contains(taken, note);
        Assert.DoesNotContain('\n', note);
    }

    [Theory]
    [InlineData("o9.onnx", "svm-rbf")]
    [InlineData("o9.onnx", "knn")]
    [InlineData("o11.onnx", "svm-rbf")]
    public void Train_OldOpset_WritesAClassifier(string name, string head)
    {
        var file = SharedData.Require("cases", "onnx-old-opset-heads", name);
        var set = _folder.At("set");
        var extracted = TransferProcess.Run("extract", "--data", PhotoVectors.Samples, "--model", file, "--out", set);
        Assert.True(extracted.ExitCode == 0, extracted.Error);
        var trained = TransferProcess.Run(
            "train",
            "--features",
            set,
            "--head",
            head,
            "--model",
            file,
            "--data",
            PhotoVectors.Samples,
            "--out",
            _folder.At("classifier.onnx")
        );
        Assert.True(trained.ExitCode == 0, trained.Error);
        Assert.True(File.Exists(_folder.At("classifier.onnx")));
    }

    private static void AssertVectors(ResolvedModel model, CutRequest request, string expectedFile)
    {
        var (rows, _, expected) = Npy.Read(expectedFile);
        Assert.Equal(PhotoVectors.Validation.Count, rows);
        SmallModel.AssertClose(expected, PhotoVectors.Of(model, request, PhotoVectors.Validation), 1e-4f);
    }

    private static void AssertOneLine<T>(Action action, string text)
        where T : TransferException
    {
        var error = Assert.Throws<T>(action);
        Assert.Contains(text, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Hugging Face's cache as it lies on a user's disk; a copy may hold its links as text.</summary>
    private string WithLinks(string cache, string model)
    {
        foreach (var from in Directory.GetFiles(cache, "*", SearchOption.AllDirectories))
        {
            var to = _folder.At("cache", Path.GetRelativePath(cache, from));
            var info = new FileInfo(from);
            if (info.LinkTarget is { } target)
                File.CreateSymbolicLink(to, target);
            else if (info.Length < 200 && File.ReadAllText(from) is var text && text.StartsWith("../", StringComparison.Ordinal))
                File.CreateSymbolicLink(to, text);
            else
                File.Copy(from, to);
        }

        return _folder.At("cache", model);
    }
}
