using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Squared hinge of each output against "the row is of this output's class": max(0, 1 - m)^2, m = z for its own class and -z for the rest.
/// </summary>
internal sealed unsafe class SquaredHingeLoss : MarginLoss
{
    public override bool Separable => true;

    public override void Derivatives(float* z, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, double* loss)
    {
        for (var k = 0; k < stride; k += 16)
        {
            var output = Vector512.Load(classes + k);
            var (positive, negative) = OneVersusRest.Weights(weights, output);
            var padding = Vector512.LessThan(output, Vector512<int>.Zero).AsSingle();
            var total = Vector512<float>.Zero;
            for (var i = 0; i < n; i++)
            {
                var at = z + (nint)i * stride + k;
                var own = Vector512.Equals(output, Vector512.Create(labels[i])).AsSingle();
                // Selected and not multiplied by 0: behind the outputs lies what the buffer's last
                // use left, possibly NaN.
                var value = Vector512.ConditionalSelect(padding, Vector512<float>.Zero, Vector512.Load(at));
                var hinge = Vector512.Max(Vector512<float>.One - Vector512.ConditionalSelect(own, value, -value), Vector512<float>.Zero);
                var weighted = Vector512.ConditionalSelect(own, positive, negative) * Vector512.Create(weights.Row[labels[i]]) * hinge;
                total = Vector512.MultiplyAddEstimate(weighted, hinge, total);
                var derivative = weighted + weighted;
                Vector512.ConditionalSelect(own, -derivative, derivative).Store(at);
            }

            for (var j = 0; j < 16; j++)
                loss[k + j] += total[j];
        }
    }

    public override void Curvature(float* u, float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights)
    {
        for (var k = 0; k < stride; k += 16)
        {
            var output = Vector512.Load(classes + k);
            var (positive, negative) = OneVersusRest.Weights(weights, output);
            for (var i = 0; i < n; i++)
            {
                var at = (nint)i * stride + k;
                var own = Vector512.Equals(output, Vector512.Create(labels[i])).AsSingle();
                var weight = Vector512.ConditionalSelect(own, positive, negative) * Vector512.Create(2 * weights.Row[labels[i]]);
                // A derivative of 0 marks the rows beyond the margin, where the loss is flat.
                var idle = Vector512.Equals(Vector512.Load(r + at), Vector512<float>.Zero);
                Vector512.ConditionalSelect(idle, Vector512<float>.Zero, weight * Vector512.Load(u + at)).Store(u + at);
            }
        }
    }

    public override void RowCurvatures(float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, float* to)
    {
        for (var i = 0; i < n; i++, r += stride)
        {
            var sum = 0f;
            for (var k = 0; k < outputs; k++)
                sum += r[k] == 0 ? 0 : 2 * weights.Of(labels[i], classes[k]);
            to[i] = sum / outputs;
        }
    }
}
