using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>Multinomial cross-entropy: -log softmax(z)[label]. Outputs are the classes in order.</summary>
internal sealed unsafe class SoftmaxLoss : MarginLoss
{
    public override bool Separable => false;

    public override void Derivatives(float* z, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, double* loss)
    {
        var total = 0.0;
        for (var i = 0; i < n; i++, z += stride)
        {
            // Padding gets the probability 0, and so the derivative 0.
            for (var k = outputs; k < stride; k++)
                z[k] = float.NegativeInfinity;
            var most = Vector512.Load(z);
            for (var k = 16; k < stride; k += 16)
                most = Vector512.Max(most, Vector512.Load(z + k));
            var max = most[0];
            for (var k = 1; k < 16; k++)
                max = Math.Max(max, most[k]);
            var label = labels[i];
            var own = z[label] - max;

            // The label's own term stays out of the sum: its derivative, p - 1, is then minus the sum of the others without cancellation.
            z[label] = float.NegativeInfinity;
            var sum = Vector512<float>.Zero;
            for (var k = 0; k < stride; k += 16)
            {
                var value = Vector512.Load(z + k);
                // Exp gives 1e-38 and not 0 for minus infinity, since it limits its argument to -87.
                var e = Vector512.ConditionalSelect(
                    Vector512.Equals(value, Vector512.Create(float.NegativeInfinity)),
                    Vector512<float>.Zero,
                    VectorMath.Exp(value - Vector512.Create(max))
                );
                e.Store(z + k);
                sum += e;
            }

            var others = (double)Vector512.Sum(sum);
            var all = others + Math.Exp(own);
            var weight = weights.Row[label];
            total += weight * (Math.Log(all) - own);
            var factor = Vector512.Create((float)(weight / all));
            for (var k = 0; k < stride; k += 16)
                (Vector512.Load(z + k) * factor).Store(z + k);
            z[label] = (float)(-weight * others / all);
        }

        *loss += total;
    }

    public override void Curvature(float* u, float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights)
    {
        for (var i = 0; i < n; i++, u += stride, r += stride)
        {
            for (var k = outputs; k < stride; k++)
                u[k] = 0;

            // r holds weight * p but for the label's output, weight * (p - 1).
            var label = labels[i];
            var weight = weights.Row[label];
            var own = u[label];
            var sum = Vector512<float>.Zero;
            for (var k = 0; k < stride; k += 16)
                sum = Vector512.MultiplyAddEstimate(Vector512.Load(r + k), Vector512.Load(u + k), sum);
            // The mean of u under p. The sum has u once too little for the label, whose r stands for p - 1.
            var mean = Vector512.Create(Vector512.Sum(sum) / weight + own);
            for (var k = 0; k < stride; k += 16)
                (Vector512.Load(r + k) * (Vector512.Load(u + k) - mean)).Store(u + k);
            // Elsewhere r is weight * p already.
            u[label] = (r[label] + weight) * (own - mean[0]);
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
                sum += size - size * size / weights.Row[labels[i]];
            }

            to[i] = sum / outputs;
        }
    }
}
