using BenchmarkDotNet.Attributes;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Benchmarks;

/// <summary>
/// Fits of the closed-form and convex heads on synthetic vectors: ten Gaussian classes, all cores.
/// scikit-learn's and LIBLINEAR's times at the same objective come from tests/rivals/heads.py.
/// </summary>
public class HeadBenchmarks
{
    private const int Classes = 10;
    private TrainingRows _rows = null!;
    private IHeadTrainer _trainer = null!;

    [Params("ridge", "softmax", "linear-svm")]
    public string Head { get; set; } = "";

    [Params(512, 1280)]
    public int Dimension { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(7);
        var x = new FeatureMatrix(3000, Dimension);
        var means = Enumerable.Range(0, Classes * Dimension).Select(_ => (float)random.NextDouble()).ToArray();
        var y = new int[x.Rows];
        for (var i = 0; i < x.Rows; i++)
        {
            y[i] = i % Classes;
            var row = x.Row(i);
            for (var j = 0; j < Dimension; j++)
                row[j] = Math.Max(0, means[y[i] * Dimension + j] + (float)(random.NextDouble() + random.NextDouble() - 1));
        }

        _rows = new(x, y, [.. Enumerable.Range(0, x.Rows)], Classes);
        _trainer = HeadCatalog.Find(Head);
    }

    [Benchmark]
    public IHead Fit() => _trainer.Train(_rows, HeadOptions.Parse(_trainer), new());
}
