using System.Diagnostics;
using System.Text.Json.Nodes;

namespace TransferPipeline.Tests.Cli;

/// <summary>The main job through the command on the repository's own photos and backbone.</summary>
public sealed class MainJobTests(MainJobTests.MainJob job) : IClassFixture<MainJobTests.MainJob>
{
    /// <summary>One run of the main job, shared by the tests of this class.</summary>
    public sealed class MainJob : IDisposable
    {
        private readonly TempFolder _folder = new();

        public MainJob() => First = Run();

        internal TransferResult First { get; }

        public string Out => Path.Combine(_folder.Root, "out");

        public string Features => Path.Combine(Out, "features", "efficientnet-lite0");

        internal TransferResult Run(params string[] more) =>
            TransferProcess.RunIn(SharedData.Repository, null, ["run", "pipelines/clothing-sample.yaml", "--out", Out, .. more]);

        public void Dispose() => _folder.Dispose();
    }

    [Fact]
    public void Run_FreshFolder_ExtractsComparesAndExports()
    {
        Assert.Equal(0, job.First.ExitCode);
        Assert.Contains("340 vectors of 1280 values (340 computed, 0 reused, 0 failed)", job.First.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(job.Out, "classifier.onnx")));
        var heads = JsonNode.Parse(File.ReadAllText(Path.Combine(job.Out, "comparison.json")))!["heads"]!.AsArray();
        Assert.Equal(["softmax", "linear-svm", "ridge", "nearest-mean", "knn"], heads.Select(h => h!["name"]!.GetValue<string>()));
        Assert.All(heads, h => Assert.InRange(h!["accuracy"]!.GetValue<double>(), 0.75, 0.95));
    }

    [Fact]
    public void Run_WhereAReportIs_SuggestsAnotherNameForTheNext()
    {
        var folder = Directory.CreateDirectory(Path.Combine(job.Out, "a report, too")).FullName;
        string[] arguments = ["run", "pipelines/clothing-sample.yaml", "--out", folder, "--set", "heads=[ridge]", "--set", "export=~"];
        Assert.Contains(
            $"--report '{folder}/report.html'",
            TransferProcess.RunIn(SharedData.Repository, null, arguments).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"--report '{folder}/report-2.html'",
            TransferProcess.RunIn(SharedData.Repository, null, [.. arguments, "--set", "report=report.html"]).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Run_Dry_TellsWhatWouldBeDoneAndDoesNothing()
    {
        using var folder = new TempFolder();
        var result = TransferProcess.RunIn(
            SharedData.Repository,
            null,
            ["run", "pipelines/clothing-sample.yaml", "--dry-run", "--out", folder.At("dry")]
        );
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Matches(@"efficientnet-lite0 penultimate none +1280 +340 +0 ", result.Output);
        Assert.Contains("nothing was done", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void Run_DryWhereItRanBefore_CountsTheVectorsOfItsRecipe()
    {
        Assert.Equal(0, job.First.ExitCode);
        var same = job.Run("--dry-run");
        Assert.Matches(@"efficientnet-lite0 penultimate none +1280 +340 +340 ", same.Output);
        Assert.Contains("and 0.0 MB of", same.Output, StringComparison.Ordinal);
        Assert.Matches(
            @"efficientnet-lite0 penultimate none +1280 +340 +0 ",
            job.Run("--dry-run", "--set", "preprocessing.resize=230").Output
        );
    }

    [Fact]
    public void Run_DryWithoutDataModelOrDevice_ListsAllThatIsMissing()
    {
        using var folder = new TempFolder();
        var result = TransferProcess.RunIn(
            SharedData.Repository,
            null,
            [
                "run",
                "pipelines/clothing-sample.yaml",
                "--dry-run",
                "--out",
                folder.At("dry"),
                "--set",
                "data.path=nothing",
                "--set",
                "model=resnet5",
                "--set",
                "extract.device=cuda:99",
                "--set",
                "heads=[softmx, ridge, ridge]",
            ]
        );
        Assert.Equal(2, result.ExitCode);
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Collection(
            lines,
            line =>
                Assert.Contains(
                    "nothing: there is no such file or folder; put the photos there, or say where they are with --set data.path=PATH",
                    line,
                    StringComparison.Ordinal
                ),
            line => Assert.Contains("no head 'softmx'; did you mean 'softmax'?", line, StringComparison.Ordinal),
            line => Assert.Contains("the head 'ridge' is listed twice", line, StringComparison.Ordinal),
            line => Assert.Contains("device cuda:99 cannot be used", line, StringComparison.Ordinal),
            line => Assert.Contains("--set 'model=resnet5': model: no model 'resnet5'", line, StringComparison.Ordinal)
        );
        Assert.Equal("heads: ridge; ridge\nnothing was done\n", result.Output);
    }

    [Fact]
    public void Run_SplitOrClassThatIsNotThere_IsRefusedBeforeAnyWork()
    {
        using var folder = new TempFolder();
        TransferResult Run(params string[] set) =>
            TransferProcess.RunIn(
                SharedData.Repository,
                null,
                ["run", "pipelines/clothing-sample.yaml", "--out", folder.At("early"), .. set]
            );
        foreach (
            var (result, expected) in new[]
            {
                (Run("--set", "evaluation.on=test"), "has no photos in split test (it has train: 240, validation: 100)"),
                (Run("--set", "heads=[knn: {n_neighbors: 241}]"), "knn: n_neighbors is 241, but there are only 240 training rows"),
                (Run("--set", "heads=[forest: {max_features: 1281}]"), "max_features is 1281, but the vectors have only 1280 values"),
                (Run("--set", "data.classes=[hat, Pants]"), "--set 'data.classes=[hat, Pants]': data.classes: "),
                (Run("--set", "model=resnet5"), "--set 'model=resnet5': model: no model 'resnet5'"),
                (Run("--set", "heads=[softmax: {class_weight: {shoe: 2}}]"), "there is no class 'shoe'; did you mean 'shoes'?"),
                (Run("--set", "export={file: a.onnx, head: forest}"), "'forest' is none of the heads: expected one of softmax, linear-svm"),
            }
        )
        {
            Assert.Equal((2, ""), (result.ExitCode, result.Output));
            Assert.Contains(expected, result.LastErrorLine, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(folder.At("early")));
        // The only backbone is opened when vectors are missing.
        Assert.Contains(
            "--set 'cut=featurs': cut: efficientnet-lite0.onnx: no tensor 'featurs'; did you mean",
            Run("--set", "cut=featurs").LastErrorLine,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Run_Again_ComputesNothingAndWritesTheSameClassifier()
    {
        var before = File.ReadAllBytes(Path.Combine(job.Out, "classifier.onnx"));
        var again = job.Run("--threads", "1");
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("(0 computed, 340 reused, 0 failed)", again.Output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(job.Out, "classifier.onnx")));
    }

    [Fact]
    public void Compare_Json_SameBytesWithOneAndTwoThreadsButForSeconds()
    {
        var one = Compare("1");
        var two = Compare("2");
        Assert.Equal(one, two);

        string Compare(string threads)
        {
            var result = TransferProcess.Run(
                "compare",
                "--features",
                job.Features,
                "--heads",
                "softmax,linear-svm:C=[0.001,0.01],ridge,knn",
                "--threads",
                threads,
                "--json"
            );
            Assert.Equal(0, result.ExitCode);
            var json = JsonNode.Parse(result.Output)!;
            json["provenance"]!["command"] = "";
            RemoveSeconds(json);
            return json.ToJsonString();
        }
    }

    private static void RemoveSeconds(JsonNode? node)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items)
                RemoveSeconds(item);
        }
        else if (node is JsonObject members)
        {
            foreach (var name in members.Select(m => m.Key).Where(n => n.EndsWith("_seconds", StringComparison.Ordinal)).ToArray())
                members.Remove(name);
            foreach (var member in members)
                RemoveSeconds(member.Value);
        }
    }

    [Fact]
    public void Train_ThenPredict_RecognizesTrainingPhotos()
    {
        var file = Path.Combine(job.Out, "svm.onnx");
        var trained = TransferProcess.Run("train", "--features", job.Features, "--head", "linear-svm", "--set", "C=0.01", "--out", file);
        Assert.Equal(0, trained.ExitCode);
        Assert.Contains("replayed 16 photos", trained.Output, StringComparison.Ordinal);
        var photos = SamplePhotos.Photos("train", "hat").Take(4).ToArray();
        var predicted = TransferProcess.Run(["predict", file, .. photos, "--json"]);
        Assert.Equal(0, predicted.ExitCode);
        Assert.All(JsonNode.Parse(predicted.Output)!.AsArray(), p => Assert.Equal("hat", p!["label"]!.GetValue<string>()));
    }

    [Fact]
    public void Train_Streamed_PredictsAsTrainedInMemory()
    {
        var photos = SamplePhotos.Photos("validation", "shirt").ToArray();
        var inMemory = Predictions();
        var streamed = Predictions("--stream");
        foreach (var (a, b) in inMemory.Zip(streamed))
        {
            Assert.Equal(a!["label"]!.GetValue<string>(), b!["label"]!.GetValue<string>());
            Assert.Equal(a["probability"]!.GetValue<double>(), b["probability"]!.GetValue<double>(), 1e-3);
        }

        JsonArray Predictions(params string[] more)
        {
            var file = Path.Combine(job.Out, $"softmax{more.Length}.onnx");
            Assert.Equal(
                0,
                TransferProcess.Run(["train", "--features", job.Features, "--head", "softmax", "--out", file, .. more]).ExitCode
            );
            return JsonNode.Parse(TransferProcess.Run(["predict", file, .. photos, "--json"]).Output)!.AsArray();
        }
    }

    [Fact]
    public void Predict_UnreadablePhoto_IsNamedAndTheOthersArePredicted()
    {
        var photo = SamplePhotos.Photos("validation", "shoes").First();
        var result = TransferProcess.Run(
            "predict",
            Path.Combine(job.Out, "classifier.onnx"),
            photo,
            Path.Combine(SharedData.Repository, "README.md")
        );
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("shoes", result.Output, StringComparison.Ordinal);
        Assert.Contains("README.md: not an image", result.Error, StringComparison.Ordinal);
        Assert.Equal("right: 1 of 1 photos in folders with the name of a class (1.000)", result.LastErrorLine);
    }

    [Fact]
    public void FeaturesExport_Npy_HasOneRowAPhoto()
    {
        var prefix = Path.Combine(job.Out, "exported");
        Assert.Equal(0, TransferProcess.Run("features", "export", job.Features, "--format", "npy", "--out", prefix).ExitCode);
        Assert.Equal(341, File.ReadLines(prefix + ".csv").Count());
        Assert.Equal(340 * 1280 * 4, new FileInfo(prefix + ".npy").Length - 128);
    }

    [Fact]
    public void Extract_Interrupted_KeepsWhatIsDoneAndGoesOn()
    {
        using var folder = new TempFolder();
        string[] arguments =
        [
            "extract",
            "--data",
            SamplePhotos.Folder,
            "--model",
            "efficientnet-lite0",
            "--out",
            folder.At("set"),
            "--threads",
            "1",
        ];
        using (var process = TransferProcess.Start(folder.Root, null, arguments))
        {
            // Until a photo is computed; a line comes every few seconds.
            string? line;
            do line = process.StandardError.ReadLine();
            while (line?.Contains(" 0/340", StringComparison.Ordinal) == true);
            Assert.StartsWith("efficientnet-lite0 ", line, StringComparison.Ordinal);
            using var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitToEnd();
            var rest = process.StandardError.ReadToEnd();
            process.WaitToEnd();
            if (process.ExitCode != 0)
            {
                Assert.Equal(130, process.ExitCode);
                Assert.Contains("interrupted; what was done is kept", rest, StringComparison.Ordinal);
            }
        }

        var completed = TransferProcess.Run([.. arguments, "--json"]);
        Assert.Equal(0, completed.ExitCode);
        var set = JsonNode.Parse(completed.Output)!.AsArray().Single()!;
        Assert.Equal(340, set["computed"]!.GetValue<int>() + set["reused"]!.GetValue<int>());
        Assert.True(set["reused"]!.GetValue<int>() > 0);
    }

    /// <summary>The set's manifest is a pipe, so that the command is still reading it when the signal comes.</summary>
    [Fact]
    public void Show_Interrupted_EndsAtOnce()
    {
        using var folder = new TempFolder();
        var manifest = folder.Pipe("manifest.json");
        using var process = TransferProcess.Start(folder.Root, null, ["features", "show", folder.Root]);

        // Opens when the other side has.
        using var pipe = new FileStream(manifest, FileMode.Open, FileAccess.Write);
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitToEnd();
        Assert.Equal("transfer: interrupted", process.StandardError.ReadToEnd().Trim());
        process.WaitToEnd();
        Assert.Equal(130, process.ExitCode);
    }

    /// <summary>The pipeline is a pipe that says nothing, so that the command cannot end by itself.</summary>
    [Fact]
    public void Run_InterruptedWhileItWaits_SaysHowToEndIt()
    {
        using var folder = new TempFolder();
        var yaml = folder.Pipe("job.yaml");
        using var process = TransferProcess.Start(folder.Root, null, ["run", yaml]);
        using var pipe = new FileStream(yaml, FileMode.Open, FileAccess.Write);
        Kill();
        Assert.Equal("still finishing what was begun; interrupt once more to end at once", process.StandardError.ReadLine());
        Kill();
        Assert.True(process.WaitForExit(10_000));

        void Kill()
        {
            using var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitToEnd();
        }
    }

    [Fact]
    public void Help_NamesEveryCommand()
    {
        var help = TransferProcess.Run("--help");
        Assert.Equal(0, help.ExitCode);
        Assert.All(
            new[]
            {
                "run",
                "extract",
                "features",
                "train",
                "compare",
                "export",
                "predict",
                "heads",
                "inspect",
                "models",
                "data",
                "doctor",
                "bench",
            },
            name => Assert.Contains($"  {name} ", help.Output, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Doctor_ThisBuild_HasNoProblem()
    {
        var doctor = TransferProcess.Run("doctor");
        Assert.Equal(0, doctor.ExitCode);
        Assert.Contains("efficientnet-lite0: 1280 values", doctor.Output, StringComparison.Ordinal);
    }
}
