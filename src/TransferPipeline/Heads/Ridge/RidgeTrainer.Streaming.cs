using TransferPipeline.Features;
using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Scaling;
using TransferPipeline.Heads.Streaming;

namespace TransferPipeline.Heads.Ridge;

public sealed partial class RidgeTrainer
{
    /// <summary>Two passes: scaling and a point to count from, then the Gram matrix and the classes' sums.</summary>
    internal IHead TrainStream(IRowStream stream, int classCount, HeadSettings settings, TrainingContext context)
    {
        var summary = StreamSummary.Read(stream, classCount, FeatureScaling.Parse(settings.Text("scaling")), 1000, context);
        var classWeights = ClassWeights.Parse(Name, settings.Text("class_weight"), summary.Counts);
        var uniform = Array.TrueForAll(classWeights, w => w == 1);
        int[] labels = [.. stream.Labels];
        var dimension = stream.Columns;

        // The sample's mean is near that of all rows: products around it keep their digits when the rest is moved.
        var intercept = settings.Flag("fit_intercept");
        var shift = intercept ? Mean(summary.Sample) : null;
        var gram = new double[(long)dimension * dimension];
        var (weights, sums) = (new double[classCount], new double[classCount][]);
        for (var k = 0; k < classCount; k++)
            sums[k] = new double[dimension];
        stream.Read((block, first, count) =>
        {
            int[] numbers = [.. Enumerable.Range(0, count)];
            var rows = summary.Scaling.Kind == ScalingKind.None
                ? RowSet.View(block, numbers, labels.AsSpan(first, count))
                : RowSet.Copy(block, numbers, labels.AsSpan(first, count), summary.Scaling, context.Threads);
            GramMatrix<double>.AddUpper(rows, shift, uniform ? null : Array.ConvertAll(rows.Labels, k => classWeights[k]), gram, context.Threads, context.Cancellation);
            var part = ClassSums.Of(rows, classCount, uniform ? null : classWeights, context.Threads, context.Cancellation);
            for (var k = 0; k < classCount; k++)
            {
                weights[k] += part.Weights[k];
                for (var d = 0; d < dimension; d++)
                    sums[k][d] += part.Sums[k][d];
            }

            // The kernels hold addresses only.
            GC.KeepAlive(rows);
        });
        GramMatrix<double>.Mirror(gram, dimension, context.Threads);
        var total = new ClassSums(dimension, weights, sums);
        if (shift is not null)
            Recentre(gram, shift, total.Mean(), total.TotalWeight);
        return Solve(new RidgeByValues(total, intercept, gram), settings.Number(PathOption), settings, summary.Scaling, context);
    }

    /// <summary>Products around the mean from products around another point.</summary>
    private static void Recentre(double[] gram, double[] shift, double[] mean, double weight)
    {
        var n = mean.Length;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                gram[(long)i * n + j] -= weight * (mean[i] - shift[i]) * (mean[j] - shift[j]);
        }
    }

    private static double[] Mean(FeatureMatrix x)
    {
        var mean = new double[x.Columns];
        for (var i = 0; i < x.Rows; i++)
        {
            for (var d = 0; d < x.Columns; d++)
                mean[d] += x.Row(i)[d] / (double)x.Rows;
        }

        return mean;
    }
}
