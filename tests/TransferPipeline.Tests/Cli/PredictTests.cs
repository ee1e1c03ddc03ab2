using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using TransferPipeline.Classifiers;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Cli;

/// <summary>Predictions of many photos, for other programs to read.</summary>
public sealed class PredictTests(PredictTests.Trained trained) : IClassFixture<PredictTests.Trained>
{
    /// <summary>
    /// A classifier of three kinds of clothes, and photos to try it on: 30 good ones in two folders, a damaged one and a pipe.
    /// </summary>
    public sealed class Trained : IDisposable
    {
        private readonly TempFolder _folder = new();

        public Trained()
        {
            var data = SamplePhotos.Copy(_folder.At("data"), 8, "dress", "hat", "shoes");
            Assert.Equal(
                0,
                TransferProcess.Run("extract", "--data", data, "--model", "efficientnet-lite0", "--out", _folder.At("set")).ExitCode
            );
            Assert.Equal(
                0,
                TransferProcess.Run("train", "--features", _folder.At("set"), "--head", "softmax", "--out", Classifier).ExitCode
            );
            foreach (
                var (label, i) in new[] { "hat", "shoes", "dress" }
                    .SelectMany(l => SamplePhotos.Photos("train", l).Skip(8).Take(10).Select(p => (Label: l, Photo: p)))
                    .Select((p, i) => (p, i))
            )
                File.Copy(label.Photo, _folder.At("photos", label.Label, $"{i:00}, {label.Label}.jpg"));
            _folder.Write("photos/hat/05 words.jpg", "no photo");
            _folder.Pipe("photos/shoes/11 pipe.jpg");
            Directory.CreateSymbolicLink(_folder.At("photos/shoes/up"), _folder.At("photos"));
        }

        public string Classifier => _folder.At("classifier.onnx");

        public string Photos => _folder.At("photos");

        public string At(string path) => _folder.At(path);

        public void Dispose() => _folder.Dispose();
    }

    private TransferResult Predict(params string[] more) => TransferProcess.Run(["predict", trained.Classifier, trained.Photos, .. more]);

    [Fact]
    public void Names_NoneOnStdin_AreBadInput()
    {
        var result = TransferProcess.Run("predict", trained.Classifier, "-");
        Assert.Equal((2, "", "transfer: no photo was named: the list of names is empty\n"), (result.ExitCode, result.Output, result.Error));
    }

    /// <summary>The classifier names the pixels it was trained on, and those are taken; others only by choice, with a warning.</summary>
    [Fact]
    public void Decoder_OtherThanTheTrainedOne_IsWarnedOf()
    {
        const string Warning = "was trained on photos decoded by pillow 1, imagesharp 2.1.13 was chosen: probabilities can differ";

        Assert.DoesNotContain("decoded by", Predict("--format", "csv").Error, StringComparison.Ordinal);
        Assert.DoesNotContain("decoded by", Predict("--format", "csv", "--decoder", "pillow").Error, StringComparison.Ordinal);
        var other = Predict("--format", "csv", "--decoder", "imagesharp");
        Assert.Contains(Warning, other.Error, StringComparison.Ordinal);
        Assert.NotEqual(Predict("--format", "csv").Output, other.Output);
    }

    [Fact]
    public void Csv_OfAFolder_HasARowAPhotoInOrderAndSaysWhyOneFailed()
    {
        var result = Predict("--format", "csv", "--top", "2");
        Assert.Equal(2, result.ExitCode);
        var rows = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("file,label,probability,label_2,probability_2,failure", rows[0]);
        Assert.Equal(32, rows.Length - 1);
        Assert.Equal(rows[1..].Select(File), rows[1..].Select(File).Order(StringComparer.Ordinal));
        Assert.Contains($"{trained.Photos}/hat/05 words.jpg,,,,,\"not an image (starts with \"\"no photo\"\")\"", rows);
        Assert.Contains($"{trained.Photos}/shoes/11 pipe.jpg,,,,,\"empty, or a pipe or device\"", rows);
        Assert.Matches(
            "^\"[^\"]*/hat/00, hat.jpg\",(hat|dress|shoes),0\\.\\d+,(hat|dress|shoes),0\\.\\d+,$",
            rows.Single(r => r.Contains("00, hat", StringComparison.Ordinal))
        );
        Assert.Equal("transfer: 2 of 32 photos could not be used", result.LastErrorLine);
        Assert.Matches(@"(?m)^right: (2\d|30) of 30 photos in folders with the name of a class \([01]\.\d{3}\)$", result.Error);

        static string File(string row) => row.TrimStart('"').Split(".jpg")[0];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Predict_InAProgram_TakesAnyThreadsAndStopsWhereNoMoreIsAsked(int threads)
    {
        using var classifier = TransferPipeline.Classifiers.Classifier.Open(trained.Classifier, threads: 1);
        var photos = Enumerable.Repeat(new PhotoFile(SamplePhotos.Photos("validation", "hat").First()), 40).ToList();
        var predictions = new PhotoClassifier(TestDecoder.Create(), classifier).Predict(
            photos,
            threads,
            TestContext.Current.CancellationToken
        );

        var first = predictions.First();
        Assert.Null(first.Failure);
        Assert.Equal(Enumerable.Repeat(first.Label, 40), predictions.Select(p => p.Label));
    }

    [Fact]
    public void Everything_WithOneThreadOrFour_IsTheSame()
    {
        foreach (var format in new[] { "text", "csv", "jsonl", "json" })
            Assert.Equal(WithThreads(format, "1"), WithThreads(format, "4"));

        // But for the progress, of which a slow machine shows lines.
        (int ExitCode, string Output, string Error) WithThreads(string format, string threads)
        {
            var result = Predict("--format", format, "--probabilities", "--threads", threads);
            var reasons = result.Error.Split('\n').Where(l => !l.Contains(" per second ", StringComparison.Ordinal));
            return (result.ExitCode, result.Output, string.Join('\n', reasons));
        }
    }

    [Fact]
    public void Probabilities_InEveryForm_AreTheSameAndAddUp()
    {
        var json = JsonNode.Parse(Predict("--json", "--probabilities").Output)!.AsArray();
        var lines = Predict("--format", "jsonl", "--probabilities")
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonNode.Parse(l))
            .ToArray();
        var csv = Predict("--format", "csv", "--top", "1", "--probabilities").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("file,label,probability,p_dress,p_hat,p_shoes,failure", csv[0]);
        Assert.Equal(json.Select(p => p!.ToJsonString()), lines.Select(p => p!.ToJsonString()));
        foreach (var (photo, row) in json.Zip(csv[1..]))
        {
            if (photo!["failure"] is not null)
                continue;
            var values = photo["probabilities"]!.AsObject().Select(p => p.Value!.GetValue<float>()).ToArray();
            Assert.Equal(1, values.Sum(), 1e-5);
            Assert.Equal(values.Max(), photo["probability"]!.GetValue<float>());
            Assert.EndsWith(
                $",{string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)))},",
                row,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task Names_FromStdin_ArePredictedInTheirOrder()
    {
        UnixTools.Require();
        string[] photos = [.. SamplePhotos.Photos("validation", "shoes").Take(3).Reverse(), Path.Combine(trained.Photos, "gone.jpg")];
        System.IO.File.WriteAllText(trained.At("names"), string.Join('\n', photos) + "\n");
        using var process = Process.Start(
            new ProcessStartInfo(
                "/bin/sh",
                [
                    "-c",
                    "\"$0\" predict \"$1\" - --format csv --top 1 < \"$2\"",
                    TransferProcess.Executable,
                    trained.Classifier,
                    trained.At("names"),
                ]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var rows = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, process.ExitCode);
        Assert.Equal(photos, rows[1..].Select(r => r.Split(',')[0]));
        Assert.Contains("gone.jpg: no such file", await error, StringComparison.Ordinal);
    }

    [Fact]
    public void Html_ThatIsTheClassifierOrAPhoto_IsRefused()
    {
        var before = System.IO.File.ReadAllBytes(trained.Classifier);
        foreach (var file in (string[])[trained.Classifier, trained.At("photos/hat/05 words.jpg")])
            TransferResult.AssertRefused(Predict("--html", file), $"{file} is read by this command; choose another name for the result");
        Assert.Equal(before, System.IO.File.ReadAllBytes(trained.Classifier));
    }

    [Fact]
    public void Html_ThatCannotBeWritten_IsRefusedBeforeAnyPhoto()
    {
        var result = Predict("--html", trained.Photos);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Equal($"transfer: {trained.Photos} is a folder, expected the name of a file", result.LastErrorLine);
    }
}
