using System.Globalization;
using System.Runtime.ExceptionServices;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>The options that a sweep chose, and its curves.</summary>
internal sealed record Choice(HeadOptions Options, IReadOnlyList<SweepCurve> Curves, IReadOnlyList<string> Warnings);

/// <summary>Chooses among the values of a head's sweeps by mean accuracy over parts of the training photos.</summary>
/// <param name="allRows">Rows that all parts are taken from, ascending.</param>
internal sealed class SweepSearch(
    HeadSpec spec,
    FeatureView view,
    IReadOnlyList<Part> parts,
    string chosenBy,
    int[] allRows,
    TrainingContext context
)
{
    // CLIP's linear probe starts two decades apart and halves to an eighth of a decade.
    private const int Halvings = 4;

    private static readonly Comparer<double[]> InOrder = Comparer<double[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b));

    private readonly Dictionary<string, (SweepValue[] Values, double[] Scores)> _tried = [];
    private readonly Dictionary<string, (SweepValue[] Values, TransferException Error)> _impossible = [];
    private readonly Sweep[] _sweeps = [.. spec.Sweeps];

    public Choice Run()
    {
        if (_sweeps.Length == 0)
            return new(spec.Options, [], []);
        Evaluate(Grid(0, new SweepValue[_sweeps.Length]).ToArray());
        // Nothing is left to choose from: the first reason is the error.
        if (_tried.Count == 0)
            ExceptionDispatchInfo.Throw(_impossible.Values.First().Error);
        var best = Best();
        for (var halving = 1; halving <= Halvings; halving++)
        {
            for (var s = 0; s < _sweeps.Length; s++)
            {
                if (!_sweeps[s].CoarseToFine)
                    continue;
                Evaluate([.. Around(best, s, 2.0 / (1 << halving))]);
                best = Best();
            }
        }

        var curves = Enumerable.Range(0, _sweeps.Length).Select(s => Curve(s, best)).ToArray();
        return new(Apply(best), curves, [.. LeftOut(), .. curves.Where(c => c.OnEdge).Select(Warning)]);
    }

    private IEnumerable<SweepValue[]> Grid(int sweep, SweepValue[] values)
    {
        if (sweep == values.Length)
            return [values];
        return _sweeps[sweep]
            .Values.SelectMany(value =>
            {
                var next = (SweepValue[])values.Clone();
                next[sweep] = value;
                return Grid(sweep + 1, next);
            });
    }

    /// <summary>The neighbours of the best value at a distance of some decades, inside the coarse range.</summary>
    private IEnumerable<SweepValue[]> Around(SweepValue[] best, int sweep, double decades)
    {
        var (low, high) = (_sweeps[sweep].Values[0].Number, _sweeps[sweep].Values[^1].Number);
        foreach (var sign in (int[])[-1, 1])
        {
            // In eighths of a decade: a value that is reached in two ways has the same text, and is tried once.
            var exponent = Math.Round((Math.Log10(best[sweep].Number) + (sign * decades)) * 8) / 8;
            var value = Sweep.PowerOfTen(exponent);
            if (value < low || value > high)
                continue;
            var next = (SweepValue[])best.Clone();
            next[sweep] = value;
            yield return next;
        }
    }

    /// <summary>
    /// Scores the combinations not tried yet: parts x (settings that differ in more than the path option) run in parallel.
    /// </summary>
    private void Evaluate(SweepValue[][] combinations)
    {
        var fresh = combinations.Where(c => !_tried.ContainsKey(Key(c)) && !_impossible.ContainsKey(Key(c))).DistinctBy(Key).ToArray();
        if (fresh.Length == 0)
            return;
        var path = spec.Trainer is IPathTrainer p ? Array.FindIndex(_sweeps, s => s.Option == p.PathOption && !s.HasNames) : -1;
        // Combinations that differ in the path option alone are one task:
        // the trainer fits them at little more than the cost of one.
        var groups = fresh.GroupBy(c => path < 0 ? Key(c) : Key([.. c.Where((_, i) => i != path)])).Select(g => g.ToArray()).ToArray();
        var scores = new Scored[groups.Length * parts.Count][];
        TaskQueue.Run(
            scores.Length,
            context.Threads,
            (task, threads) =>
                scores[task] = TryScore(
                    groups[task / parts.Count],
                    path,
                    parts[task % parts.Count],
                    context with
                    {
                        Threads = threads,
                        // Each warning would come once per setting and fold; the fit that is kept warns by itself.
                        Warn = static _ => { },
                    }
                ),
            context.Cancellation
        );
        for (var g = 0; g < groups.Length; g++)
        {
            for (var c = 0; c < groups[g].Length; c++)
            {
                Scored[] inParts = [.. Enumerable.Range(0, parts.Count).Select(f => scores[(g * parts.Count) + f][c])];
                // One part is enough: means over different parts cannot be compared.
                if (inParts.FirstOrDefault(s => s.Error is not null).Error is { } error)
                    _impossible[Key(groups[g][c])] = (groups[g][c], error);
                else
                    _tried[Key(groups[g][c])] = (groups[g][c], Array.ConvertAll(inParts, s => s.Accuracy));
            }
        }
    }

    /// <summary>
    /// Scores a group at once; where that fails, each of its combinations alone, so that only the impossible ones are lost.
    /// </summary>
    private Scored[] TryScore(SweepValue[][] combinations, int path, Part part, TrainingContext inner)
    {
        try
        {
            return Array.ConvertAll(Score(combinations, path, part, inner), accuracy => new Scored(accuracy, null));
        }
        catch (TransferException e) when (HeadFitter.IsOfHead(e))
        {
            return combinations.Length == 1
                ? [new Scored(double.NaN, e)]
                : [.. combinations.SelectMany(c => TryScore([c], path, part, inner))];
        }
    }

    private double[] Score(SweepValue[][] combinations, int path, Part part, TrainingContext inner)
    {
        var rows = view.Training(part.Train, []) with { AllRows = allRows };
        var heads =
            path >= 0
                ? ((IPathTrainer)spec.Trainer).TrainPath(
                    rows,
                    ForSearch(Apply(combinations[0])),
                    [.. combinations.Select(c => c[path].Number)],
                    inner
                )
                : [.. combinations.Select(c => spec.Trainer.Train(rows, ForSearch(Apply(c)), inner))];
        return [.. heads.Select(h => view.Evaluate(h, part.Test, inner.Threads).Accuracy)];
    }

    /// <summary>
    /// The combination of highest mean score; of equal ones those with the names given first, and of these the middle one, away from
    /// the edges of a plateau.
    /// </summary>
    private SweepValue[] Best()
    {
        var ordered = _tried.Values.OrderBy(t => Places(t.Values), InOrder).ToArray();
        var best = ordered.Max(t => t.Scores.Average());
        // Equal means of different accuracies can differ in the last bit.
        var equal = ordered.Where(t => t.Scores.Average() >= best - 1e-12).Select(t => t.Values).ToArray();
        var named = equal.MinBy(PlacesOfNames, InOrder)!;
        var sameNames = equal.Where(values => PlacesOfNames(values).AsSpan().SequenceEqual(PlacesOfNames(named))).ToArray();
        return sameNames[(sameNames.Length - 1) / 2];
    }

    private double[] Places(SweepValue[] values) => [.. values.Select((v, i) => _sweeps[i].Place(v))];

    /// <summary>The part of a combination that has no order.</summary>
    private double[] PlacesOfNames(SweepValue[] values) => [.. Places(values).Where((_, i) => _sweeps[i].HasNames)];

    private SweepCurve Curve(int sweep, SweepValue[] best)
    {
        var line = _tried
            .Values.Where(t => t.Values.Select((v, i) => i == sweep || v == best[i]).All(same => same))
            .OrderBy(t => _sweeps[sweep].Place(t.Values[sweep]))
            .ToArray();
        return new(
            spec.Title,
            _sweeps[sweep].Option,
            [.. line.Select(t => t.Values[sweep])],
            [.. line.Select(t => t.Scores.Average())],
            [.. line.Select(t => StandardError(t.Scores))],
            best[sweep],
            IsOnEdge(sweep, best, line),
            chosenBy
        );
    }

    // No edge where the values beyond were tried and no head could be trained with them:
    // a wider sweep has nothing to offer.
    private bool IsOnEdge(int sweep, SweepValue[] best, (SweepValue[] Values, double[] Scores)[] line) =>
        !_sweeps[sweep].HasNames
        && line.Length > 1
        && (best[sweep] == line[0].Values[sweep] || best[sweep] == line[^1].Values[sweep])
        && CanGoOn(sweep, best[sweep].Number)
        && !_impossible.Values.Any(i =>
            best[sweep] == line[0].Values[sweep] ? i.Values[sweep].Number < best[sweep].Number : i.Values[sweep].Number > best[sweep].Number
        );

    /// <summary>Of the mean over parts; of a share of the photos where there is one part.</summary>
    private double StandardError(double[] scores) =>
        scores.Length > 1
            ? Math.Sqrt(Intervals.MeanAndVariance(scores).Variance / scores.Length)
            : Math.Sqrt(scores[0] * (1 - scores[0]) / parts[0].Test.Length);

    /// <summary>Whether better values may lie beyond an edge: not where the option's own range ends.</summary>
    private bool CanGoOn(int sweep, double value)
    {
        var option = spec.Trainer.Options.First(o => o.Name == _sweeps[sweep].Option);
        return value > option.Min && value < option.Max;
    }

    /// <summary>One line for the combinations that no head could be trained with.</summary>
    private IEnumerable<string> LeftOut()
    {
        if (_impossible.Count == 0)
            yield break;
        var first = _impossible.Values.OrderBy(i => Places(i.Values), InOrder).First();
        var settings = string.Join(
            " ",
            _sweeps.Select(
                (s, i) => $"{s.Option}={first.Values[i].Name ?? first.Values[i].Number.ToString("G4", CultureInfo.InvariantCulture)}"
            )
        );
        yield return $"{_impossible.Count} of {_impossible.Count + _tried.Count} settings of the sweep are left out, the first is "
            + $"{settings}: {first.Error.Message}";
    }

    private static string Warning(SweepCurve curve) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"the best {curve.Parameter} is {curve.Chosen.Number:G4}, "
                + $"{(curve.Chosen == curve.Values[0] ? "the smallest" : "the largest")} tried: widen the sweep"
        );

    // A sweep over tol compares tolerances, so each is taken as it is.
    private HeadOptions ForSearch(HeadOptions options) => Array.Exists(_sweeps, s => s.Option == "tol") ? options : options.ForSearch;

    private HeadOptions Apply(SweepValue[] values)
    {
        var options = spec.Options;
        for (var s = 0; s < values.Length; s++)
            options = _sweeps[s].Apply(options, values[s]);
        return options;
    }

    private static string Key(SweepValue[] values) => string.Join('\n', values.Select(v => v.Text));

    private readonly record struct Scored(double Accuracy, TransferException? Error);
}
