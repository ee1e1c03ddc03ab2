using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;
using TransferPipeline.Pipelines;
using TransferPipeline.Pipelines.Yaml;

namespace TransferPipeline.Tests.Pipelines;

public sealed class PipelineChecksTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("report: comparison.json", "report: FOLDER/comparison.json is also written by 'comparison'; choose another name")]
    [InlineData("report: ./a.html\npredictions: a.html\nexport: c.onnx", "predictions: FOLDER/a.html is also written by 'report'")]
    [InlineData("finetune: {}\nexport: m-tuned.onnx", "export: FOLDER/m-tuned.onnx is also written by 'finetune'")]
    [InlineData("report: features", "report: FOLDER/features is a folder, expected the name of a file")]
    [InlineData("export: features/m/manifest.json", "lies in FOLDER/features, whose files belong together; choose another name")]
    [InlineData("report: finetune/m/a.html", "lies in FOLDER/finetune, whose files belong together; choose another name")]
    [InlineData("features-export: {format: csv, prefix: a}\nreport: a.csv", "features-export: FOLDER/a.csv is also written by 'report'")]
    [InlineData("export: ../m.onnx", "is the backbone itself; choose another name")]
    [InlineData("report: a.html\npredictions: b.html\nexport: c.onnx\nfinetune: {}", null)]
    public void RequireNames_OneFileForTwoResults_IsRefused(string keys, string? problem)
    {
        var folder = Path.GetDirectoryName(_folder.At("out", "features", "x"))!;
        var model = Model("m");
        File.WriteAllText(model.File, "a backbone");
        void Check() => PipelineChecks.RequireNames(Read(keys), [model], Path.GetDirectoryName(folder)!);
        if (problem is null)
            Check();
        else
            Assert.Contains(problem.Replace("FOLDER", _folder.At("out")), Assert.Throws<BadInputException>(Check).Message);
    }

    [Theory]
    [InlineData("job.yaml")]
    [InlineData("photos.csv")]
    public void RequireNames_AResultInThePlaceOfWhatIsRead_IsRefused(string file)
    {
        _folder.Write("photos.csv", "path,label\n");
        var job = _folder.Write("job.yaml", $"data: {{path: photos.csv}}\nmodel: a\nheads: [ridge]\nreport: ../{file}\n");
        var error = Assert.Throws<BadInputException>(() =>
            PipelineChecks.RequireNames(PipelineReader.Read(job), [Model("m")], _folder.At("out"))
        );
        Assert.Equal($"{job}:4: report: {_folder.At(file)} is read by this pipeline; choose another name", error.Message);
    }

    [Theory]
    [InlineData("../file/a.html", false)]
    [InlineData("../file/a.html", true)]
    [InlineData("/proc/transfer/a.html", true)]
    public void RequireFiles_AFileThatCannotBeWritten_IsRefused(string name, bool writes)
    {
        _folder.Write("file", "x");
        void Check() => PipelineChecks.RequireFiles(Read($"report: {name}"), _folder.At("out"), writes);
        Assert.Contains(" cannot be written: ", Assert.Throws<JobFailedException>(Check).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "heads: [no-onnx]\nexport: c.onnx",
        "job.yaml:4: export: no-onnx has no form in ONNX; leave export out, or add a head that"
    )]
    [InlineData("heads: [no-onnx]\nexport: {head: no-onnx}", "job.yaml:4: export: no-onnx has no form in ONNX; leave export out, or")]
    [InlineData("heads: [ridge, absent]\nexport: {head: absent}", "job.yaml:4: export: the head 'absent' is optional and cannot be used")]
    [InlineData("heads: [absent]", "job.yaml:3: heads: none of absent can be used here; add one that can, such as softmax")]
    [InlineData("heads: [absent]\nfeatures-export: {}\nexport: c.onnx", "job.yaml:3: heads: none of absent can be used here")]
    [InlineData("heads: [absent]\nfeatures-export: {}", null)]
    [InlineData("heads: [no-onnx]", null)]
    [InlineData("heads: [no-onnx, ridge]\nexport: c.onnx", null)]
    [InlineData("heads: [no-onnx]\nexport: c.onnx\nfinetune: {}", null)]
    [InlineData("features-export: {}", null)]
    public void RequireHeads_AnExportThatNoneAllows_IsRefused(string keys, string? problem)
    {
        var pipeline = PipelineReader.Read(YamlDocument.Parse("job.yaml", $"data: {{path: photos}}\nmodel: a\n{keys}\n"));
        HeadSpec[] available =
        [
            .. pipeline
                .Heads.Where(h => h.Step.Name != "absent")
                .Select(h => h.Step.Name == "ridge" ? (HeadSpec)new Ridge() : HeadSpec.Create(new Unwritable())),
        ];
        void Check() => PipelineChecks.RequireHeads(pipeline, available);
        if (problem is null)
            Check();
        else
            Assert.StartsWith(problem, Assert.Throws<BadInputException>(Check).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("knn: {n_neighbors: 4}", "", "knn: n_neighbors is 4, but there are only 3 training rows")]
    [InlineData("knn: {n_neighbors: [9, 4], metric: [cosine, euclidean]}", "", "knn: n_neighbors is 4, but there are only 3 training")]
    [InlineData("knn: {n_neighbors: [9, 3]}", "", null)]
    [InlineData("knn: {n_neighbors: 6}", "augment: [random-horizontal-flip]", null)]
    [InlineData("knn: {n_neighbors: 7}", "augment: [random-horizontal-flip]", "n_neighbors is 7, but there are only 6 training rows")]
    [InlineData("knn: {n_neighbors: 2}", "evaluation: {protocol: k-fold, folds: 2}", null)]
    [InlineData("knn: {n_neighbors: 3}", "evaluation: {protocol: k-fold, folds: 2}", "n_neighbors is 3, but there are only 2 training")]
    public void RequireRows_MoreThanThereArePhotos_IsRefused(string head, string keys, string? problem)
    {
        var pipeline = PipelineReader.Read(YamlDocument.Parse("job.yaml", $"data: {{path: photos}}\nmodel: a\nheads: [{head}]\n{keys}\n"));
        var request = pipeline.Heads.Single();
        var dataset = new Photos("train/a train/a train/b validation/b validation/a test/a");
        if (pipeline.Evaluation.Folds > 0)
            dataset = new Photos("train/a train/a train/b validation/b test/a");
        var wanted = new PipelineHead(request.Spec(HeadCatalog.Trainers), request.Step.Where, IsAvailable: true);
        void Check() => PipelineChecks.RequireRows(pipeline, dataset, wanted);
        if (problem is null)
            Check();
        else
            Assert.Contains(problem, Assert.Throws<BadInputException>(Check).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireColumns_MoreThanAVectorHas_IsRefused()
    {
        var spec = HeadSpec.ParseList("forest:max_features=[8,9]", [], HeadCatalog.Trainers).Single();
        var forest = new PipelineHead(spec, "job.yaml:3", IsAvailable: true);
        PipelineChecks.RequireColumns([forest], 8);
        var error = Assert.Throws<BadInputException>(() => PipelineChecks.RequireColumns([forest], 7));
        Assert.Equal("job.yaml:3: forest: max_features is 8, but the vectors have only 7 values", error.Message);
    }

    [Theory]
    [InlineData(
        "nowhere",
        "nowhere: there is no such file or folder; put the photos there, or say where they are with --set data.path=PATH"
    )]
    [InlineData(
        "$HOME/nowhere",
        "$HOME/nowhere: there is no such file or folder; variables are not replaced in a pipeline; write the path"
    )]
    public void OpenData_WhatIsNotThere_NamesTheLineAndTheCure(string path, string problem)
    {
        var pipeline = PipelineReader.Read(
            YamlDocument.Parse(_folder.At("job.yaml"), $"model: a\nheads: [ridge]\ndata:\n  path: {path}\n")
        );
        var error = Assert.Throws<BadInputException>(() => PipelineRunner.OpenData(null!, pipeline));
        Assert.StartsWith($"{_folder.At("job.yaml")}:4: data.path: {_folder.At(problem)}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireNames_ABackboneTwice_IsRefused()
    {
        ResolvedModel[] models = [Model("m"), Model("n"), Model("m")];
        var error = Assert.Throws<BadInputException>(() => PipelineChecks.RequireNames(Read("seed: 1"), models, _folder.At("out")));
        Assert.EndsWith("m.onnx is listed twice; leave one out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireNames_TwoBackbonesOfOneName_AreRefusedWhereFilesHaveIt()
    {
        ResolvedModel[] models = [Model("m"), Model("m", "other")];
        PipelineChecks.RequireNames(Read("seed: 1"), models, _folder.At("out"));
        var error = Assert.Throws<BadInputException>(() => PipelineChecks.RequireNames(Read("finetune: {}"), models, _folder.At("out")));
        Assert.Contains("m.onnx have one name, 'm', by which tuned files are named", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "train/a train/a train/b test/a",
        "on: test, choose-by: validation",
        "has no photos in split validation to choose values by"
    )]
    [InlineData("train/a validation/a", "protocol: split", "photos: all photos are of one class, 'a'; a classifier needs at least two")]
    [InlineData("train/a validation/a validation/b", "protocol: split", "class 'b' has no photo in split train: a head cannot learn it")]
    [InlineData("train/a train/b", "protocol: split", "has no photos in split validation (it has train: 2), which the evaluation needs")]
    [InlineData("train/a train/a train/b test/b", "protocol: k-fold, folds: 2", "class 'b' has one photo: folds need at least two")]
    [InlineData(
        "train/a train/a train/b train/b",
        "protocol: k-fold, folds: 3",
        "job.yaml:4: evaluation.folds: 3 folds are more than any class has members"
    )]
    [InlineData("train/a train/a train/b validation/b", "protocol: k-fold, folds: 2", null)]
    public void RequirePhotos_WhatTheComparisonWouldRefuse_IsRefused(string photos, string evaluation, string? problem)
    {
        var dataset = new Photos(photos);
        void Check() => PipelineChecks.RequirePhotos(Read($"evaluation: {{{evaluation}}}"), dataset, compares: true);
        if (problem is null)
            Check();
        else
            Assert.Contains(problem, Assert.Throws<BadInputException>(Check).Message, StringComparison.Ordinal);
        // Without heads no split is needed.
        PipelineChecks.RequirePhotos(Read($"evaluation: {{{evaluation}}}"), dataset, compares: false);
    }

    [Fact]
    public void RequirePhotos_PredictionsWithFolds_NeedPhotosThatTheHeadHasNotSeen()
    {
        const string Keys = "predictions: p.html\nexport: c.onnx\nevaluation: {protocol: k-fold, folds: 2}";
        const string Seen = "train/a train/a train/b validation/b";
        var error = Assert.Throws<BadInputException>(() => PipelineChecks.RequirePhotos(Read(Keys), new Photos(Seen), compares: true));
        Assert.StartsWith(
            "job.yaml:4: predictions: with folds the exported head is trained on all photos but those of split test",
            error.Message
        );
        PipelineChecks.RequirePhotos(Read(Keys), new Photos(Seen + " test/a"), compares: true);
    }

    [Fact]
    public void Int8Sets_OfANameThatIsNoFoldersName_AreFound()
    {
        var set = Path.GetDirectoryName(_folder.At("features", "my_model-int8-0123456789ab", "x"))!;
        _folder.At("features", "my_models-int8-0123456789ab", "x");
        Assert.Equal([set], Pipeline.Int8Sets(Model("my model"), _folder.Root));
        Assert.Empty(Pipeline.Int8Sets(Model("my model"), _folder.At("nothing")));
    }

    private ResolvedModel Model(string name, string below = ".") =>
        new(name, Path.GetFullPath(_folder.At(below, name + ".onnx")), new('0', 64), Preprocessing.ImageNet(), null);

    private static Pipeline Read(string keys) =>
        PipelineReader.Read(
            YamlDocument.Parse("job.yaml", $"data: {{path: photos}}\nmodel: efficientnet-lite0\nheads: [softmax]\n{keys}\n")
        );

    private sealed class Unwritable : IHeadTrainer
    {
        public string Name => "no-onnx";

        public string Summary => "";

        public string? Unavailable => null;

        public string NotExportable => "no-onnx has no form in ONNX";

        public HeadOptions Defaults => new Ridge();

        public IHead Train(TrainingRows data, HeadOptions options, TrainingContext context) => throw new InvalidOperationException();
    }

    /// <summary>Photos of which no more is known than split and class.</summary>
    private sealed class Photos(string list) : Dataset
    {
        public override string Source => "photos";

        public override IReadOnlyList<string> Classes { get; } = [.. list.Split(' ').Select(p => p.Split('/')[1]).Distinct().Order()];

        public override IReadOnlyList<PhotoEntry> Entries { get; } =
        [.. list.Split(' ').Select((p, i) => new PhotoEntry($"{p}/{i}.jpg", p.Split('/')[1], p.Split('/')[0]))];

        public override PhotoStamp Stamp(int index) => throw new InvalidOperationException();

        public override int Read(int index, ref byte[] buffer) => throw new InvalidOperationException();
    }
}
