using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Evaluation;

/// <summary>Options of <see cref="CentroidTrainer"/>.</summary>
internal sealed record Centroid(string Kind = "centroid") : HeadOptions
{
    public override IHeadTrainer Trainer => new CentroidTrainer(Kind);

    [Option("heat", "divides the distances", Min = 0, ExclusiveMin = true)]
    public double Heat { get; init; } = 1;

    [Option("values", "values of a vector to use", Min = 1)]
    public int Columns { get; init; } = 1_000_000;

    [Option("note", "any text")]
    public string Note { get; init; } = "";
}

/// <summary>
/// A small, plain head for tests of the comparison itself: nearest class mean on the first <c>values</c> values, softmax of the negative
/// squared distances over <c>heat</c>.
/// </summary>
internal sealed class CentroidTrainer(string name = "centroid") : IHeadTrainer
{
    public string Name => name;

    public string Summary => "nearest class mean";

    public string? Unavailable { get; init; }

    public HeadOptions Defaults => new Centroid(name);

    public IHead Train(TrainingRows data, HeadOptions options, TrainingContext context)
    {
        var settings = (Centroid)options;
        var columns = Math.Min(settings.Columns, data.X.Columns);
        var means = new double[data.ClassCount][];
        for (var k = 0; k < means.Length; k++)
        {
            var rows = data.Rows.Where(r => data.Y[r] == k).ToArray();
            means[k] = [.. Enumerable.Range(0, columns).Select(d => rows.Average(r => (double)data.X.Row(r)[d]))];
        }

        return new Head(name, means, settings);
    }

    private sealed class Head(string name, double[][] means, Centroid settings) : IHead
    {
        public string Name => name;

        public int ClassCount => means.Length;

        public int Dimension => means[0].Length;

        public long ParameterCount => means.Length * means[0].Length;

        public HeadOptions Options => settings;

        public FitReport Fit { get; } = new();

        public string? NotExportable => "for tests only";

        public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                for (var k = 0; k < means.Length; k++)
                {
                    var distance = 0.0;
                    for (var d = 0; d < means[k].Length; d++)
                        distance += (x.Row(rows[i])[d] - means[k][d]) * (x.Row(rows[i])[d] - means[k][d]);
                    scores[(i * means.Length) + k] = (float)(-distance / settings.Heat);
                }
            }
        }

        public void ToProbabilities(Span<float> scores)
        {
            for (var start = 0; start < scores.Length; start += means.Length)
            {
                var row = scores.Slice(start, means.Length);
                var top = row[Predict(row)];
                var sum = 0.0;
                for (var k = 0; k < row.Length; k++)
                    sum += row[k] = (float)Math.Exp(row[k] - top);
                for (var k = 0; k < row.Length; k++)
                    row[k] = (float)(row[k] / sum);
            }
        }

        public string Export(IGraphWriter graph, string features) => throw new InvalidOperationException(NotExportable);

        private static int Predict(ReadOnlySpan<float> row)
        {
            var best = 0;
            for (var k = 1; k < row.Length; k++)
                best = row[k] > row[best] ? k : best;
            return best;
        }
    }
}
