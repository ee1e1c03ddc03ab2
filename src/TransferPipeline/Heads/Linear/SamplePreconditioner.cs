using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Inverts the Hessian of a sample in memory, at the point where all rows are, by preconditioned conjugate gradients: it knows how classes
/// share rows, which one matrix for all of them does not, and costs no pass over the stream (Byrd et al. 2011).
/// </summary>
/// <param name="resample">Called with a point whose curvature the sample is to show from then on; null when the sample is all rows.</param>
internal sealed unsafe class SamplePreconditioner(LinearObjective sample, IPreconditioner inner, Action<nint>? resample) : IPreconditioner
{
    private const int MostSteps = 200;

    /// <summary>Residual relative to the right side, in the inner preconditioner's norm.</summary>
    private const double Residual = 0.05;

    /// <summary>
    /// Steps after which other rows are sampled, for a pass: the first sample's solution fits its own rows too well to show which rows
    /// matter.
    /// </summary>
    private const int ResampleSteps = 8;

    private int[] _classes = [];
    private int _updates;

    public bool Ready => true;

    /// <summary>Inverses of a few rows' Hessian are too large: the rows bend the objective less elsewhere.</summary>
    public bool IsScaled => false;

    public void Update(ILinearObjective objective, float* w)
    {
        _classes = [.. objective.Classes];
        // Before the evaluation below, which is of the new rows.
        if (++_updates % ResampleSteps == 0)
            resample?.Invoke((nint)w);
        // Outputs that are done have left the solver, and leave the sample too.
        sample.Select(_classes);
        sample.Evaluate(w, null, new double[sample.Separable ? _classes.Length : 1]);
        inner.Update(sample, w);
    }

    public void Require(ILinearObjective objective)
    {
        // The sample is always there.
    }

    public void Apply(float* from, float* to, int outputs)
    {
        var groups = sample.Separable ? outputs : 1;
        var size = (nint)outputs * sample.Stride;
        var group = size / groups;
        using var buffer = new FloatBuffer(4 * size);
        float* residual = buffer.Pointer,
            search = residual + size,
            product = search + size,
            scaled = product + size;
        var (first, energy, done) = (new double[groups], new double[groups], new bool[groups]);
        new Span<float>(to, checked((int)size)).Clear();
        FloatVectors.Copy(from, residual, size);
        for (var step = 0; step < MostSteps; step++)
        {
            if (inner.Ready)
                inner.Apply(residual, scaled, outputs);
            else
                FloatVectors.Copy(residual, scaled, size);
            var open = 0;
            for (var g = 0; g < groups; g++)
            {
                var next = FloatVectors.Dot(residual + g * group, scaled + g * group, group);
                if (step == 0)
                    first[g] = next;
                // Negated, so that NaN ends a group.
                done[g] |= !(next > Residual * Residual * first[g]);
                if (done[g])
                    // The product is taken of all groups at once; a direction of 0 leaves what this one has.
                    new Span<float>(search + g * group, (int)group).Clear();
                else
                    FloatVectors.ScaleAdd(search + g * group, step == 0 ? 0 : next / energy[g], scaled + g * group, group);
                energy[g] = next;
                open += done[g] ? 0 : 1;
            }

            if (open == 0)
                return;
            sample.HessianTimes(search, product);
            for (var g = 0; g < groups; g++)
            {
                if (done[g])
                    continue;
                var curvature = FloatVectors.Dot(search + g * group, product + g * group, group);
                // No curvature is left along this direction but rounding: a division would give infinite steps.
                done[g] = !(curvature > 0);
                if (done[g])
                    continue;
                FloatVectors.AddScaled(to + g * group, energy[g] / curvature, search + g * group, group);
                FloatVectors.AddScaled(residual + g * group, -energy[g] / curvature, product + g * group, group);
            }
        }
    }
}
