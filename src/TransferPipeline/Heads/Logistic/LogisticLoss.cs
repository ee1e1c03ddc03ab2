using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Binary cross-entropy of each output against "the row is of this output's class": log(1 + exp(-m)), m = z for its own class and -z for
/// the rest.
/// </summary>
internal sealed unsafe class LogisticLoss : MarginLoss
{
    public override bool Separable => true;

    public override void Derivatives(float* z, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, double* loss)
    {
        for (var k = 0; k < stride; k += 16)
        {
            var output = Vector512.Load(classes + k);
            var (positive, negative) = OneVersusRest.Weights(weights, output);
            var total = Vector512<float>.Zero;
            for (var i = 0; i < n; i++)
            {
                var at = z + (nint)i * stride + k;
                var own = Vector512.Equals(output, Vector512.Create(labels[i])).AsSingle();
                // Behind the outputs lies what the buffer's last use left: NaN would survive the weight of 0.
                var value = Vector512.ConditionalSelect(
                    Vector512.LessThan(output, Vector512<int>.Zero).AsSingle(),
                    Vector512<float>.Zero,
                    Vector512.Load(at)
                );
                var margin = Vector512.ConditionalSelect(own, value, -value);
                var weight = Vector512.ConditionalSelect(own, positive, negative) * Vector512.Create(weights.Row[labels[i]]);
                // From the size of the margin, so that nothing overflows: ln(1 + exp(-m)) = ln(1 + e) + max(-m, 0).
                var e = VectorMath.Exp(-Vector512.Abs(margin));
                var small = e / (Vector512<float>.One + e);
                // The smaller of both probabilities is e / (1 + e): as 1 - 1 / (1 + e) it would lose its digits.
                var wrong = Vector512.ConditionalSelect(
                    Vector512.GreaterThan(margin, Vector512<float>.Zero),
                    small,
                    Vector512<float>.One / (Vector512<float>.One + e)
                );
                total += weight * (VectorMath.Log1p(e) + Vector512.Max(-margin, Vector512<float>.Zero));
                var derivative = weight * wrong;
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
                var weight = Vector512.ConditionalSelect(own, positive, negative) * Vector512.Create(weights.Row[labels[i]]);
                var derivative = Vector512.Abs(Vector512.Load(r + at));

                // |r| = weight * q, q the probability of being wrong; the second derivative is weight * q (1 - q).
                var second = derivative - derivative * derivative / Vector512.Max(weight, Vector512.Create(1e-37f));
                var value = Vector512.ConditionalSelect(
                    Vector512.LessThan(output, Vector512<int>.Zero).AsSingle(),
                    Vector512<float>.Zero,
                    Vector512.Load(u + at)
                );
                (second * value).Store(u + at);
            }
        }
    }

    public override void RowCurvatures(float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, float* to)
    {
        for (var i = 0; i < n; i++, r += stride)
        {
            // |r| is weight * p or weight * (1 - p); the second derivative weight * p (1 - p) is the same function of both.
            var sum = 0f;
            for (var k = 0; k < outputs; k++)
            {
                var size = Math.Abs(r[k]);
                sum += size - size * size / weights.Of(labels[i], classes[k]);
            }

            to[i] = sum / outputs;
        }
    }
}
