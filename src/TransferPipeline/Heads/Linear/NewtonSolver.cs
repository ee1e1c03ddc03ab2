using TransferPipeline.Heads.Kernels;

namespace TransferPipeline.Heads.Linear;

/// <summary>How a solve ended.</summary>
/// <param name="Gap">Upper bound or estimate of objective - optimum.</param>
internal sealed record SolveResult(double Objective, double Gap, int Iterations, int Passes, bool Converged);

/// <summary>What is known of an output where the solver starts.</summary>
/// <param name="Gap">Upper bound of objective - optimum.</param>
/// <param name="Iterations">Spent on the way there.</param>
internal readonly record struct OutputStart(double Objective, double Gap, int Iterations)
{
    public bool Reached(double tolerance) => Gap <= tolerance * Objective;
}

/// <summary>
/// Newton's method with truncated, preconditioned conjugate gradients (Lin, Weng and Keerthi 2008 for these losses). A problem with one
/// output against the rest splits into one problem an output: each has its own step lengths, all share every pass over the rows, and the
/// ones that have converged leave it.
/// </summary>
internal sealed unsafe class NewtonSolver(ILinearObjective objective, AdaptivePreconditioner preconditioner)
{
    private const int MostInner = 100;
    private const int MostHalvings = 30;
    private const double Armijo = 1e-4;

    /// <summary>Objectives are sums of float32 losses: below this share a difference is noise, and slopes decide (Hager and Zhang 2005).</summary>
    private const double Noise = 1e-6;

    /// <summary>Slope at the end of an acceptable step, relative to the one at its start.</summary>
    private const double MostSlope = 0.8;

    /// <summary>
    /// Residual of conjugate gradients, relative to where it started, in the preconditioner's norm: loose while the quadratic model predicts steps
    /// badly, tighter as it improves (Eisenstat and Walker 1996, choice 1).
    /// </summary>
    private const double TightestForcing = 0.2;

    private const double LoosestForcing = 0.7;

    private const double FirstForcing = 0.5;

    /// <summary>
    /// Once a step gains less than this share of the objective, what conjugate gradients gained becomes the estimate of the gap, so they go on until the
    /// last of j steps gained less than <see cref="MostLastShare"/> / j of all (Nash and Sofer 1990): a small residual alone can hide slow directions.
    /// </summary>
    private const double FinalShare = 1e-4;

    private const double MostLastShare = 0.3;

    /// <summary>Residuals that would gain less than this share of the tolerance are rounding.</summary>
    private const double Negligible = 1e-3;

    /// <param name="classes">Class of each output.</param>
    /// <param name="w">Start and result, outputs x objective.Stride.</param>
    /// <param name="tolerance">Relative gap at which to stop.</param>
    /// <param name="starts">Where each output stands at the start, if known (separable objectives): the ones within the tolerance stay as they are.</param>
    public SolveResult Solve(int[] classes, float* w, double tolerance, int maxIterations, OutputStart[]? starts = null)
    {
        int[] active = [.. Enumerable.Range(0, classes.Length).Where(k => starts is null || !starts[k].Reached(tolerance))];
        var reached = starts is null ? [] : Array.FindAll(starts, s => s.Reached(tolerance));
        var (total, totalGap) = (reached.Sum(s => s.Objective), reached.Sum(s => s.Gap));
        var before = starts is null ? 0 : starts.Max(s => s.Iterations);
        if (active.Length == 0)
            return new(total, totalGap, before, objective.Passes, true);
        var stride = objective.Stride;
        var size = (nint)active.Length * stride;
        using var buffer = new FloatBuffer(8 * size);
        var at = buffer.Pointer;
        float* current = at, gradient = at + size, trial = at + 2 * size, trialGradient = at + 3 * size;
        float* direction = at + 4 * size, residual = at + 5 * size, search = at + 6 * size, product = at + 7 * size;
        for (var k = 0; k < active.Length; k++)
            FloatVectors.Copy(w + active[k] * stride, current + k * stride, stride);
        var groups = objective.Separable ? active.Length : 1;
        var rows = objective.Separable ? 1 : classes.Length;
        var group = (nint)rows * stride;
        var values = new double[groups];
        var gaps = new double[groups];
        var iterations = 0;
        objective.Select(Array.ConvertAll(active, k => classes[k]));
        objective.Evaluate(current, gradient, values);
        Array.Fill(gaps, double.PositiveInfinity);
        var forcing = new double[groups];
        Array.Fill(forcing, FirstForcing);
        while (true)
        {
            // Leave the outputs that are done.
            var kept = 0;
            for (var g = 0; g < groups; g++)
            {
                var bound = Math.Min(gaps[g], Bound(gradient + g * group, rows));
                if (bound <= tolerance * values[g] || iterations == maxIterations)
                {
                    (total, totalGap) = (total + values[g], totalGap + bound);
                    for (var r = 0; r < rows; r++)
                        FloatVectors.Copy(current + g * group + r * stride, w + (nint)(objective.Separable ? active[g] : r) * stride, stride);
                    continue;
                }

                if (kept != g)
                {
                    FloatVectors.Copy(current + g * group, current + kept * group, group);
                    FloatVectors.Copy(gradient + g * group, gradient + kept * group, group);
                    (values[kept], gaps[kept], active[kept], forcing[kept]) = (values[g], gaps[g], active[g], forcing[g]);
                }

                kept++;
            }

            if (kept == 0)
                break;
            if (kept != groups)
            {
                groups = kept;
                objective.Select(Array.ConvertAll(active[..groups], k => classes[k]));
                objective.Evaluate(current, gradient, values.AsSpan(0, groups));
            }

            iterations++;
            var decreases = Direction(gradient, direction, residual, search, product, groups, rows, tolerance, values, forcing);
            Step(current, gradient, direction, trial, trialGradient, values, gaps, forcing, decreases, groups, group);
        }

        return new(total, totalGap, before + iterations, objective.Passes, totalGap <= tolerance * total * (1 + 1e-9));
    }

    /// <summary>Half the squared gradient bounds the gap (the objective is strongly convex with constant 1 in the weights); a free bias is left to the estimate by curvature.</summary>
    private double Bound(float* gradient, int rows)
    {
        var sum = 0.0;
        for (var r = 0; r < rows; r++)
        {
            var row = gradient + (nint)r * objective.Stride;
            sum += FloatVectors.Dot(row, row, objective.Stride);
        }

        return 0.5 * sum;
    }

    /// <summary>Solves the Newton equations of every group to the forcing term; returns the decreases that the quadratic models predict.</summary>
    private double[] Direction(
        float* gradient, float* direction, float* residual, float* search, float* product, int groups, int rows, double tolerance, double[] values,
        double[] forcing)
    {
        var stride = objective.Stride;
        var group = (nint)rows * stride;
        var size = groups * group;
        var (energy, start, decrease) = (new double[groups], new double[groups], new double[groups]);
        var (done, lastDecrease) = (new bool[groups], new double[groups]);
        new Span<float>(direction, (int)size).Clear();
        for (nint i = 0; i < size; i++)
            residual[i] = -gradient[i];
        preconditioner.Update(objective);
        using var preconditioned = preconditioner.Ready ? new FloatBuffer(size) : null;
        var scaled = preconditioned is null ? residual : preconditioned.Pointer;
        if (preconditioned is not null)
            preconditioner.Apply(residual, scaled, groups * rows);
        FloatVectors.Copy(scaled, search, size);
        for (var g = 0; g < groups; g++)
            start[g] = energy[g] = FloatVectors.Dot(residual + g * group, scaled + g * group, group);
        for (var inner = 1; inner <= MostInner; inner++)
        {
            objective.HessianTimes(search, product);
            for (var g = 0; g < groups; g++)
            {
                if (done[g])
                    continue;
                var curvature = FloatVectors.Dot(search + g * group, product + g * group, group);
                if (!(curvature > 0))
                {
                    done[g] = true;
                    continue;
                }

                var length = energy[g] / curvature;
                FloatVectors.AddScaled(direction + g * group, length, search + g * group, group);
                FloatVectors.AddScaled(residual + g * group, -length, product + g * group, group);
                lastDecrease[g] = 0.5 * length * energy[g];
                decrease[g] += lastDecrease[g];
            }

            if (preconditioned is not null)
                preconditioner.Apply(residual, scaled, groups * rows);
            var open = 0;
            for (var g = 0; g < groups; g++)
            {
                if (done[g])
                {
                    new Span<float>(search + g * group, (int)group).Clear();
                    continue;
                }

                var next = FloatVectors.Dot(residual + g * group, scaled + g * group, group);
                var settled = decrease[g] > FinalShare * values[g] || inner * lastDecrease[g] <= MostLastShare * decrease[g];
                done[g] = (next <= forcing[g] * forcing[g] * start[g] && settled) || 0.5 * next <= Negligible * tolerance * values[g];
                FloatVectors.ScaleAdd(search + g * group, next / energy[g], scaled + g * group, group);
                energy[g] = next;
                open += done[g] ? 0 : 1;
            }

            if (open == 0)
                break;
        }

        return decrease;
    }

    private void Step(
        float* current, float* gradient, float* direction, float* trial, float* trialGradient,
        double[] values, double[] gaps, double[] forcing, double[] decreases, int groups, nint group)
    {
        var size = groups * group;
        var lengths = new double[groups];
        Array.Fill(lengths, 1);
        var slopes = new double[groups];
        for (var g = 0; g < groups; g++)
            slopes[g] = FloatVectors.Dot(gradient + g * group, direction + g * group, group);
        var found = new double[groups];
        for (var halving = 0; halving <= MostHalvings; halving++)
        {
            for (var g = 0; g < groups; g++)
            {
                FloatVectors.Copy(current + g * group, trial + g * group, group);
                FloatVectors.AddScaled(trial + g * group, lengths[g], direction + g * group, group);
            }

            objective.Evaluate(trial, trialGradient, found);
            var failed = 0;
            for (var g = 0; g < groups; g++)
            {
                if (found[g] <= values[g] + Armijo * lengths[g] * slopes[g])
                    continue;
                if (found[g] <= values[g] + Noise * Math.Abs(values[g])
                    && FloatVectors.Dot(trialGradient + g * group, direction + g * group, group) <= -MostSlope * slopes[g])
                {
                    continue;
                }

                lengths[g] *= 0.5;
                failed++;
            }

            if (failed == 0)
                break;
        }

        for (var g = 0; g < groups; g++)
        {
            forcing[g] = Math.Clamp(Math.Abs(1 - (values[g] - found[g]) / decreases[g]), TightestForcing, LoosestForcing);
            values[g] = found[g];
            gaps[g] = lengths[g] == 1 ? decreases[g] : double.PositiveInfinity;
        }

        FloatVectors.Copy(trial, current, size);
        FloatVectors.Copy(trialGradient, gradient, size);
    }
}
