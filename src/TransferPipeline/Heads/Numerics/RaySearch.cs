namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Step lengths along one direction for each group of outputs: slopes are bracketed and interpolated until little of the first one is left.
/// </summary>
internal sealed class RaySearch
{
    private const int MostProbes = 24;

    /// <summary>
    /// Objectives are sums of float32 losses: below this share a rise is noise, and slopes decide (Hager and Zhang 2005).
    /// </summary>
    private const double Noise = 1e-6;

    private const double MostGrowth = 4;

    /// <summary>A new length keeps this share of the bracket from its ends.</summary>
    private const double Margin = 0.1;

    /// <summary>Lengths that were all too long, after which they shrink by squares.</summary>
    private const int MostMisses = 3;

    private const double FirstShrink = 0.3;

    /// <summary>Ends of a bracket so many times apart are of different orders.</summary>
    private const double Far = 100;

    private readonly ILinearObjective _objective;
    private readonly double[] _start;
    private readonly double[] _first;
    private readonly Bracket[] _brackets;

    /// <param name="scaled">Whether a length of 1 is a likely one.</param>
    public RaySearch(ILinearObjective objective, double[] start, double[] slopes, bool[] open, bool scaled)
    {
        (_objective, _start, _first) = (objective, start, slopes);
        (Lengths, Values, Slopes) = (new double[start.Length], new double[start.Length], new double[start.Length]);
        _brackets = new Bracket[start.Length];
        for (var g = 0; g < start.Length; g++)
        {
            var moves = open[g] && slopes[g] < 0;
            _brackets[g] = new()
            {
                LowSlope = slopes[g],
                High = double.PositiveInfinity,
                Found = !moves,
            };
            Lengths[g] =
                // The objective is not negative, so its tangent must stop at 0: start / -slope is the longest step that a line explains.
                !moves ? 0
                : scaled ? 1
                : Math.Min(1, start[g] / -slopes[g]);
        }
    }

    public double[] Lengths { get; }

    /// <summary>Objectives and slopes at the lengths found.</summary>
    public double[] Values { get; }

    public double[] Slopes { get; }

    public void Run()
    {
        for (var probe = 0; ; probe++)
        {
            // One evaluation for all groups. Those found are evaluated again at the same length, so the last call always belongs to
            // Lengths; MoveTo relies on that.
            _objective.EvaluateAt(Lengths, Values, Slopes);
            var open = 0;
            for (var g = 0; g < Lengths.Length; g++)
            {
                if (_brackets[g].Found)
                    continue;
                // The lower end of the bracket is a point that was lower than the start: a step, if a short one.
                if (probe == MostProbes)
                {
                    // Counted as open once more: the next evaluation is at this length. A length of 0 means that no step was found.
                    (Lengths[g], _brackets[g].Found) = (_brackets[g].Low, true);
                    open++;
                    continue;
                }

                // Strong Wolfe conditions: no rise beyond the noise, and little of the first slope left.
                var rises = Values[g] > _start[g] + Noise * Math.Abs(_start[g]) || !double.IsFinite(Values[g]);
                if (!rises && Math.Abs(Slopes[g]) <= -_objective.SlopeShare * _first[g])
                {
                    _brackets[g].Found = true;
                    continue;
                }

                // Where the objective rises although the slope points down, the minimum was jumped over: the slope counts as one uphill.
                open++;
                Lengths[g] = _brackets[g].Next(Lengths[g], rises ? Math.Max(Slopes[g], -_first[g]) : Slopes[g]);
            }

            if (open == 0)
                return;
        }
    }

    private struct Bracket
    {
        public double Low;
        public double LowSlope;
        public double High;
        public double HighSlope;
        public bool Found;
        public double Shrink = FirstShrink;
        public int Misses;

        public Bracket() { }

        /// <summary>Takes in the slope at a length and gives the next length.</summary>
        public double Next(double length, double slope)
        {
            // Downhill: the minimum lies beyond. Without an upper end, the line through both slopes shows how far, within limits.
            if (slope < 0)
            {
                var secant = length + (length - Low) * slope / (LowSlope - slope);
                (Low, LowSlope) = (length, slope);
                // MaxValue stands for a secant without a minimum ahead; the clamp makes it the longest step.
                if (double.IsInfinity(High))
                    return Math.Clamp(
                        double.IsFinite(secant) && secant > length ? secant : double.MaxValue,
                        length * (1 + Margin),
                        length * MostGrowth
                    );
            }
            else
            {
                (High, HighSlope) = (length, slope);
            }

            // Where lines through slopes do not help, orders of magnitude are halved and not lengths.
            if (Low > 0 && High > Far * Low)
                return Math.Sqrt(Low * High);
            // 0.3^2, 0.3^4, 0.3^8, ...: a first length that is wrong by ten orders of magnitude costs few probes.
            if (Low == 0 && ++Misses > MostMisses)
                return High * (Shrink *= Shrink);

            // Regula falsi on the slopes, kept off the ends so that both move.
            var inside = Low + (High - Low) * LowSlope / (LowSlope - HighSlope);
            var edge = Margin * (High - Low);
            return Math.Clamp(double.IsFinite(inside) ? inside : 0.5 * (Low + High), Low + edge, High - edge);
        }
    }
}
