using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Pipelines;
using TransferPipeline.Reports;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.Reports;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>A program that uses the library has a culture of its own, on which no file depends.</summary>
public sealed partial class CultureTests : IDisposable
{
    private const string Pipeline = """
        data: { path: photos }
        model: efficientnet-lite0
        preprocessing: { offset: 127.5, divisor: 128.25 }
        augment:
          - random-resized-crop: { scale: [0.25, 1] }
          - random-rotation: { degrees: 7.5 }
          - color-jitter: { brightness: 0.1 }
        views: 1
        heads:
          - softmax: { C: "logspace(-1,1,3)" }
          - mlp: { hidden_layer_sizes: "8", learning_rate: 0.01, epochs: 3 }
        evaluation: { calibrate: true, few-shot: [1, 2] }
        features-export: { format: csv }
        export: classifier.onnx
        predictions: predictions.html
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_WhereNumbersHaveACommaAndAnotherMinus_WritesTheSameFiles()
    {
        SamplePhotos.Copy(_folder.At("photos"), 3, "dress", "hat");
        var pipeline = _folder.Write("p.yaml", Pipeline);
        var tools = DefaultTools.Create();
        var (usual, other) = (Run("usual"), In(Comma(), () => Run("other")));

        Assert.Equal(usual.Keys, other.Keys);
        Assert.All(usual, file => Assert.Equal(file.Value, other[file.Key]));

        SortedDictionary<string, string> Run(string name)
        {
            // One name for both, since files state where others are.
            var (target, notes) = (_folder.At("out"), new List<string>());
            var events = new PipelineEvents { Note = notes.Add, Warn = notes.Add };
            var options = new ComparisonOptions { Threads = 2 };
            new PipelineRunner(tools, PipelineReader.Read(pipeline), target, events).Run(options, TestContext.Current.CancellationToken);
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["notes"] = string.Join('\n', notes) };
            foreach (var file in Directory.GetFiles(target, "*", SearchOption.AllDirectories))
                files[Path.GetRelativePath(target, file)] = Times().Replace(File.ReadAllText(file, Encoding.Latin1), "");
            Directory.Move(target, _folder.At(name));
            return files;
        }
    }

    [Fact]
    public void Report_WhereNumbersHaveACommaAndAnotherMinus_IsTheSame()
    {
        var comparison = SyntheticComparison.Create(featureSets: 2);
        Assert.Equal(
            ComparisonReport.Render(comparison, static _ => null),
            In(Comma(), () => ComparisonReport.Render(comparison, static _ => null))
        );
    }

    /// <summary>As in Sweden, but for its names: tests run without the data of cultures.</summary>
    private static CultureInfo Comma()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = (",", "\u00A0");
        (culture.NumberFormat.PercentDecimalSeparator, culture.NumberFormat.NegativeSign) = (",", "\u2212");
        return culture;
    }

    private static T In<T>(CultureInfo culture, Func<T> run)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = culture;
            return run();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [GeneratedRegex("\"[a-z_]*seconds\": ?[0-9.Ee+-]+")]
    private static partial Regex Times();
}
