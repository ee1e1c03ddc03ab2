using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads.LinearSvm;

/// <summary>
/// Dual coordinate descent for the squared hinge (Hsieh, Chang, Lin, Keerthi and Sundararajan 2008, LIBLINEAR's -s 1), all classes in
/// one pass over the rows. For small C some twenty passes come within 1e-5 of the optimum, each at the price of two products a row and
/// class; Newton's method takes it from there. Where it does not help within a few passes it gives up.
/// </summary>
internal static unsafe class DualCoordinateDescent
{
    private const int MostEpochs = 40;

    /// <summary>Largest projected gradient at which a class is done: some 5e-6 of the objective (LIBLINEAR stops at 0.1).</summary>
    private const float Done = 0.01f;

    /// <summary>A class whose largest projected gradient is above this after <see cref="TrialEpochs"/> is too badly conditioned.</summary>
    private const float Hopeless = 1.5f;

    private const int TrialEpochs = 6;

    /// <param name="w">Outputs x stride values, all zero; receives weights and, after a row's values, the intercept.</param>
    /// <param name="intercept">Rows have one more value of 1, whose weight is penalized like the others.</param>
    public static void Run(RowSet rows, int[] classes, LossWeights weights, bool intercept, float* w, int stride, int threads, CancellationToken cancellation)
    {
        var squares = new float[rows.Count];
        Blocks.For(rows.Count, 256, threads, (_, start, end) =>
        {
            for (var i = start; i < end; i++)
                squares[i] = Dot(rows.Rows[i], rows.Rows[i], rows.Length) + (intercept ? 1 : 0);
        });
        // Each class is a problem of its own, so how they are shared out changes nothing.
        var block = (classes.Length + threads - 1) / threads;
        Blocks.For(classes.Length, block, threads, (_, start, end) => Descend(rows, classes, weights, intercept, w, stride, squares, start, end, cancellation), cancellation);
    }

    private static void Descend(
        RowSet rows, int[] classes, LossWeights weights, bool intercept, float* w, int stride, float[] squares, int first, int end, CancellationToken cancellation)
    {
        var alpha = new float[(end - first) * rows.Count];
        var active = Enumerable.Range(first, end - first).ToList();
        var violation = new float[end];
        var order = Enumerable.Range(0, rows.Count).ToArray();
        for (var epoch = 0; epoch < MostEpochs && active.Count > 0; epoch++)
        {
            cancellation.ThrowIfCancellationRequested();
            new Random(epoch).Shuffle(order);
            Array.Clear(violation);
            foreach (var i in order)
            {
                foreach (var k in active)
                    Update(rows, i, classes[k], weights, intercept, w + (nint)k * stride, squares[i], ref alpha[(k - first) * rows.Count + i], ref violation[k]);
            }

            active.RemoveAll(k => violation[k] < Done || (epoch + 1 == TrialEpochs && violation[k] > Hopeless));
        }

        GC.KeepAlive(rows);
    }

    /// <summary>Minimizes the dual over one row's multiplier: a step to the unconstrained minimum, cut at 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Update(
        RowSet rows, int i, int ofClass, LossWeights weights, bool intercept, float* w, float square, ref float alpha, ref float violation)
    {
        var label = rows.Labels[i];
        var sign = label == ofClass ? 1f : -1f;
        var diagonal = 0.5f / weights.Of(label, ofClass);
        var margin = Dot(w, rows.Rows[i], rows.Length) + (intercept ? w[rows.Length] : 0);
        var gradient = sign * margin - 1 + diagonal * alpha;
        var projected = alpha == 0 ? Math.Min(gradient, 0) : gradient;
        if (projected == 0)
            return;
        violation = Math.Max(violation, Math.Abs(projected));
        var before = alpha;
        alpha = Math.Max(0, alpha - gradient / (square + diagonal));
        var step = (alpha - before) * sign;
        AddScaled(w, step, rows.Rows[i], rows.Length);
        if (intercept)
            w[rows.Length] += step;
    }

    private static float Dot(float* a, float* b, int length)
    {
        var (s0, s1, s2, s3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i <= length - 64; i += 64)
        {
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), s0);
            s1 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 16), Vector512.Load(b + i + 16), s1);
            s2 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 32), Vector512.Load(b + i + 32), s2);
            s3 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 48), Vector512.Load(b + i + 48), s3);
        }

        var sum = Vector512.Sum(s0 + s1 + (s2 + s3));
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static void AddScaled(float* y, float factor, float* x, int length)
    {
        var scale = Vector512.Create(factor);
        var i = 0;
        for (; i <= length - 16; i += 16)
            Vector512.MultiplyAddEstimate(scale, Vector512.Load(x + i), Vector512.Load(y + i)).Store(y + i);
        for (; i < length; i++)
            y[i] += factor * x[i];
    }
}
