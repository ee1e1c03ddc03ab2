namespace TransferPipeline.Heads.Numerics;

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
/// L-BFGS (Liu and Nocedal 1989) whose first inverse Hessian is that of a preconditioner, with step lengths found along the outputs. A
/// separable objective (one output against the rest) is one problem per output. Each problem has its own step lengths, all of them share
/// every pass over the rows, and converged problems leave it.
/// </summary>
/// <remarks>
/// One iteration, for all problems at once:
/// <list type="number">
/// <item>bound each problem's distance to its optimum; problems within the tolerance are done (<see cref="BoundGaps"/>);</item>
/// <item>write the problems that are done to the result and move the others together (<see cref="Leave"/>);</item>
/// <item>direction d = -H g by the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4), H0 from the preconditioner;</item>
/// <item>step length t along the outputs, X(w + t d) = Xw + t Xd: trying a length reads no vector (<see cref="RaySearch"/>);</item>
/// <item>move, compute the gradient there, and remember the step and the change of the gradient.</item>
/// </list>
/// </remarks>
internal sealed unsafe class LbfgsSolver(ILinearObjective objective, IPreconditioner preconditioner, int threads)
{
    /// <summary>Outputs that are done leave once they are this share of all: leaving costs a copy of all outputs.</summary>
    private const double MinShareToCompact = 0.2;

    /// <summary>
    /// Factor that makes a gap of the gradient's product with the inverse Hessian: half of the product is the gap of a quadratic, and half
    /// of that is added, since the matrix is an average over the outputs.
    /// </summary>
    private const double DecrementFactor = 0.75;

    /// <param name="classes">Class of each output.</param>
    /// <param name="w">Start and result, outputs x objective.Stride.</param>
    /// <param name="tolerance">Relative gap at which to stop.</param>
    /// <param name="starts">Where each output stands at the start, if known (separable objectives): the ones within the tolerance stay as
    /// they are.</param>
    public SolveResult Solve(int[] classes, float* w, double tolerance, int maxIterations, OutputStart[]? starts = null)
    {
        int[] open = [.. Enumerable.Range(0, classes.Length).Where(k => starts is null || !starts[k].Reached(tolerance))];
        var reached = starts is null ? [] : Array.FindAll(starts, s => s.Reached(tolerance));
        var (total, totalGap) = (reached.Sum(s => s.Objective), reached.Sum(s => s.Gap));
        var iterations = 0;
        if (open.Length > 0)
        {
            var rest = Solve(classes, open, w, tolerance, maxIterations);
            (total, totalGap, iterations) = (total + rest.Objective, totalGap + rest.Gap, rest.Iterations);
        }

        iterations += starts is null ? 0 : starts.Max(s => s.Iterations);
        // Each problem met its own tolerance; the factor allows for the rounding of the two sums.
        return new(total, totalGap, iterations, objective.Passes, totalGap <= tolerance * total * (1 + 1e-9));
    }

    /// <param name="chosen">Outputs to solve for; all, unless the objective is separable.</param>
    private (double Objective, double Gap, int Iterations) Solve(int[] classes, int[] chosen, float* w, double tolerance, int maxIterations)
    {
        var stride = objective.Stride;
        var size = (nint)chosen.Length * stride;
        // Four matrices of outputs x stride. `next` is scratch until step 5 writes the new gradient into it, then the two change roles.
        using var buffer = new FloatBuffer(4 * size);
        var at = buffer.Pointer;
        float* current = at,
            gradient = at + size,
            next = at + 2 * size,
            direction = at + 3 * size;
        for (var k = 0; k < chosen.Length; k++)
            FloatVectors.Copy(w + (nint)chosen[k] * stride, current + (nint)k * stride, stride);
        var groups = objective.Separable ? chosen.Length : 1;
        var rows = chosen.Length / groups;
        using var history = new StepHistory(groups, rows, stride, threads);
        var active = Enumerable.Range(0, groups).ToArray();
        var progress = Array.ConvertAll(active, _ => new Progress());
        var values = new double[groups];
        var (total, totalGap) = (0.0, 0.0);
        var iterations = 0;
        objective.Select(Array.ConvertAll(chosen, k => classes[k]));
        objective.Evaluate(current, gradient, values);
        while (true)
        {
            // 1. Gaps.
            BoundGaps(gradient, next, [.. active[..groups].Select(g => progress[g])], values, tolerance, rows);
            var open = 0;
            for (var g = 0; g < groups; g++)
            {
                var state = progress[active[g]];
                state.Done |= state.Bound <= tolerance * values[g] || iterations == maxIterations;
                open += state.Done ? 0 : 1;
            }

            // 2. Problems that are done leave.
            if (open == 0 || groups - open >= MinShareToCompact * groups)
            {
                int[] kept = [.. Enumerable.Range(0, groups).Where(g => !progress[active[g]].Done)];
                for (var g = 0; g < groups; g++)
                {
                    if (!progress[active[g]].Done)
                        continue;
                    (total, totalGap) = (total + values[g], totalGap + progress[active[g]].Bound);
                    for (var r = 0; r < rows; r++)
                        FloatVectors.Copy(current + ((nint)g * rows + r) * stride, w + (nint)chosen[active[g] * rows + r] * stride, stride);
                }

                if (open == 0)
                    break;
                if (open < groups)
                    Leave(kept, current, gradient, values, active, (nint)rows * stride);
                groups = open;
            }

            // 3. Directions. Problems that are done but have not left yet stay where they are.
            iterations++;
            preconditioner.Update(objective, current);
            var moving = Array.ConvertAll(active[..groups], g => !progress[g].Done);
            // The history keeps the places of the first iteration; `active` maps the groups that are left to them.
            history.Direction(active.AsSpan(0, groups), moving, gradient, direction, preconditioner);
            var slopes = history.Products(groups, gradient, direction);

            // 4. Step lengths. A length of 1 is the likely one once the inverse Hessian has a scale.
            objective.SetDirection(current, direction);
            var search = new RaySearch(
                objective,
                values.AsSpan(0, groups).ToArray(),
                slopes,
                moving,
                iterations > 1 || (preconditioner.Ready && preconditioner.IsScaled)
            );
            search.Run();

            // 5. The next point. Without a step, the memory of steps is what misleads: that problem starts anew.
            for (var g = 0; g < groups; g++)
            {
                values[g] = search.Values[g];
                var state = progress[active[g]];
                if (moving[g])
                    state.Add(search.Lengths[g], slopes[g], search.Slopes[g]);
                // Also true of problems that are done: they need no history any more.
                if (search.Lengths[g] == 0)
                    history.Reset(active[g]);
                FloatVectors.AddScaled(
                    current + (nint)g * rows * stride,
                    search.Lengths[g],
                    direction + (nint)g * rows * stride,
                    (nint)rows * stride
                );
            }

            objective.MoveTo(current, next);
            history.Add(active.AsSpan(0, groups), search.Lengths, direction, gradient, next);
            var old = gradient;
            gradient = next;
            next = old;
        }

        return (total, totalGap, iterations);
    }

    /// <summary>Moves the problems that stay to the front, in their order.</summary>
    private void Leave(int[] kept, float* current, float* gradient, double[] values, int[] active, nint size)
    {
        // Only separable problems leave, so a group is one output. kept[g] >= g: moving forward never overwrites a group still to be moved.
        for (var g = 0; g < kept.Length; g++)
        {
            FloatVectors.Copy(current + kept[g] * size, current + g * size, size);
            FloatVectors.Copy(gradient + kept[g] * size, gradient + g * size, size);
            (values[g], active[g]) = (values[kept[g]], active[kept[g]]);
        }

        objective.Keep(kept);
    }

    /// <summary>
    /// Bounds each problem's gap by the smaller of two estimates: the gradient's (<see cref="Bound"/>), which leaves out a free bias, and
    /// that of the last gains, which can overlook slow directions. Where either weakness could end the problem too early, half of
    /// g' H^-1 g, the gap of a quadratic, must be small too.
    /// </summary>
    private void BoundGaps(float* gradient, float* scratch, Progress[] states, double[] values, double tolerance, int rows)
    {
        var needsDecrement = new bool[states.Length];
        for (var g = 0; g < states.Length; g++)
        {
            var byGradient = Bound(gradient + (nint)g * rows * objective.Stride, rows);
            states[g].Bound = Math.Min(states[g].Gap, byGradient);
            needsDecrement[g] =
                !states[g].Done && states[g].Bound <= tolerance * values[g] && (objective.FreeBias || byGradient > tolerance * values[g]);
        }

        // A factorization is computed only where it could keep a problem from ending: many solves never need one.
        if (!needsDecrement.Contains(true))
            return;
        preconditioner.Require(objective);
        if (!preconditioner.Ready || !preconditioner.IsScaled)
            return;
        preconditioner.Apply(gradient, scratch, states.Length * rows);
        for (var g = 0; g < states.Length; g++)
        {
            var at = (nint)g * rows * objective.Stride;
            // g' H^-1 g is the squared Newton decrement; half of it is the gap of the quadratic model (Boyd and Vandenberghe 2004,
            // section 9.5.1).
            if (needsDecrement[g])
                states[g].Bound = Math.Max(
                    states[g].Bound,
                    DecrementFactor * FloatVectors.Dot(gradient + at, scratch + at, (nint)rows * objective.Stride)
                );
        }
    }

    /// <summary>
    /// Half the squared gradient bounds the gap (the objective is strongly convex with constant 1 in the weights); a free bias is left to
    /// the estimate by progress.
    /// </summary>
    private double Bound(float* gradient, int rows)
    {
        var sum = 0.0;
        for (var r = 0; r < rows; r++)
        {
            var row = gradient + (nint)r * objective.Stride;
            sum += FloatVectors.Dot(row, row, objective.Stride);
        }

        // f - f* <= |g|^2 / 2m for strong convexity m (Boyd and Vandenberghe 2004, equation 9.9); m = 1 is the ridge penalty's.
        return 0.5 * sum;
    }

    /// <summary>Estimates the gap of one problem from what its steps gained.</summary>
    private sealed class Progress
    {
        private const int Window = 4;

        /// <summary>The last directions are slower than those before.</summary>
        private const double Safety = 3;

        /// <summary>Steps in a row without length after which rounding is all that is left.</summary>
        private const int MostStalls = 2;

        private readonly List<double> _gains = [];
        private int _stalls;

        public bool Done { get; set; }

        public double Bound { get; set; }

        public double Gap { get; private set; } = double.PositiveInfinity;

        public void Add(double length, double slope, double endSlope)
        {
            // Between the ends of a step the slope is nearly a line; differences of objectives would be rounding.
            _gains.Add(Math.Max(0, -0.5 * length * (slope + endSlope)));
            _stalls = length > 0 ? 0 : _stalls + 1;
            Done = _stalls == MostStalls;
            // Two windows of equal length: single gains of L-BFGS go up and down.
            var half = Math.Min(Window, _gains.Count / 2);
            if (half == 0)
                return;

            // Gains that fall by the same factor go on falling so: the sum of all that will come.
            var (last, before) = (0.0, 0.0);
            for (var i = 1; i <= half; i++)
            {
                last += _gains[^i];
                before += _gains[^(i + half)];
            }

            // The windows to come gain last * (rate + rate^2 + ...).
            var rate = before > 0 ? last / before : 1;
            Gap = rate < 1 ? Safety * last * rate / (1 - rate) : double.PositiveInfinity;
        }
    }
}
