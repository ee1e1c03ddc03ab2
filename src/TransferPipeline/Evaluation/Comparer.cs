using System.Diagnostics;
using System.Runtime.ExceptionServices;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <param name="Result">What was found.</param>
/// <param name="Fitted">The trained heads, in the order of <see cref="Comparison.Heads"/>: on a split trained on train, with folds on all
/// folds.</param>
internal sealed record ComparisonRun(Comparison Result, IReadOnlyList<IHead> Fitted);

/// <summary>
/// Trains heads on the same photos, evaluates them on the same others, and states which differences are more than chance.
/// </summary>
internal sealed class Comparer
{
    private readonly ComparisonOptions _options;
    private readonly ComparisonPlan _plan;
    private readonly Protocol _protocol;
    private readonly List<string> _warnings;
    private readonly List<LeftOutHead> _leftOut = [];
    private readonly HeadFitter[] _fitters;
    private readonly TransferException?[] _failures;

    private Comparer(ComparisonOptions options, ComparisonPlan plan, List<string> warnings)
    {
        (_options, _plan, _protocol, _warnings) = (options, plan, plan.Protocol, warnings);
        // One scope for all heads: products of a matrix and its scaled rows are computed once.
        var shared = new ComparisonScope();
        _fitters =
        [
            .. plan.Pairs.Select(p => new HeadFitter(options, p.Spec, plan.Views[p.Set], plan.Groups, _protocol.FinalTrain, shared)),
        ];
        _failures = new TransferException?[_fitters.Length];
    }

    /// <summary>Compares every head on every feature set.</summary>
    /// <exception cref="UsageException">Options contradict each other or a head is unavailable.</exception>
    /// <exception cref="BadInputException">The feature sets do not match, or have too few photos for the options.</exception>
    public static ComparisonRun Run(ComparisonOptions options, IReadOnlyList<FeatureSource> sources, IReadOnlyList<HeadSpec> heads)
    {
        var warnings = new List<string>();
        var plan = ComparisonPlan.Make(options, sources, heads, warnings.Add);
        return new Comparer(options, plan, warnings).Run();
    }

    private ComparisonRun Run()
    {
        var folds = _protocol.IsFolds ? EvaluateFolds() : null;
        // One head after the other, each with all threads: fits that ran side by side could not be timed.
        var evaluated = _fitters.Select((fitter, i) => TryEvaluate(fitter, i, folds?[i])).OfType<EvaluatedHead>().ToArray();
        // With no head left there is nothing to report: the first reason is the error.
        if (evaluated.Length == 0)
            ExceptionDispatchInfo.Throw(_failures.First(f => f is not null)!);
        var verdict = Verdict.Of(evaluated, _protocol, _options);
        var result = new Comparison
        {
            Provenance = new(_options.Command, _options.Seed, [.. _plan.Sources.Select(s => s.Summary)], _options.Versions),
            Data = _plan.Summary(),
            Protocol = _protocol.Words,
            Training = _protocol.Kept,
            Verdict = verdict.Sentence,
            Heads =
            [
                .. evaluated.Select(
                    (j, i) =>
                        HeadResults.Build(j, _protocol, _options, _warnings.Add) with
                        {
                            TiedWithBest = verdict.Tied[i],
                            PValue = verdict.PValues[i],
                        }
                ),
            ],
            Tests = verdict.Tests,
            Sweeps = [.. evaluated.SelectMany(j => j.Choice.Curves.Select(c => c with { Head = j.Title }))],
            FewShot = FewShotCurves(evaluated),
            // A check trains on parts of the photos, which a head that came with its backbone cannot.
            DataCheck = Check(BestTrainable(evaluated, verdict.Best)),
            Map = Map(evaluated[verdict.Best]),
            Warnings = _warnings,
            LeftOut = _leftOut,
        };
        return new(result, [.. evaluated.Select(j => j.Head)]);
    }

    /// <summary>Trains on and evaluates every part, for each head: heads and folds side by side, one thread each.</summary>
    private EvaluatedPart[][] EvaluateFolds()
    {
        var parts = _protocol.Parts;
        var results = _fitters.Select(_ => new EvaluatedPart[parts.Count]).ToArray();
        _options.Progress($"{_fitters.Length} heads in {parts.Count} folds");
        var converged = _fitters.Select(_ => new bool[parts.Count]).ToArray();
        var failures = _fitters.Select(_ => new TransferException?[parts.Count]).ToArray();

        // Heads share work on a part; what they share is let go when the last of them is through.
        var parent = new ComparisonScope();
        var shared = parts.Select(_ => new ComparisonScope(parent)).ToArray();
        var left = parts.Select(_ => _fitters.Length).ToArray();
        TaskQueue.Run(
            parts.Count * _fitters.Length,
            _options.Threads,
            (task, threads) =>
            {
                // Heads of one part follow each other, so that what they share is made once and used at once.
                var (part, head) = (task / _fitters.Length, task % _fitters.Length);
                var fitter = _fitters[head].With(shared[part]);
                try
                {
                    var settings = fitter.Choose(parts[part].Train, threads).Options;
                    var trained = fitter.Train(parts[part].Train, settings, threads);
                    results[head][part] = new(settings, fitter.View.Evaluate(trained, parts[part].Test, threads));
                    converged[head][part] = trained.Fit.Converged;
                }
                catch (TransferException e) when (HeadFitter.IsOfHead(e))
                {
                    failures[head][part] = e;
                }

                // Products that heads of a part share can be large: dropped when its last head is done.
                if (Interlocked.Decrement(ref left[part]) == 0)
                    shared[part] = new(parent);
            },
            _options.Cancellation
        );
        for (var i = 0; i < _fitters.Length; i++)
        {
            _failures[i] = failures[i].FirstOrDefault(f => f is not null);
            if (_failures[i] is null && converged[i].Count(c => !c) is > 0 and var count)
                _warnings.Add($"{_plan.Pairs[i].ShortName}: {count} of {parts.Count} folds did not converge");
        }

        return results;
    }

    /// <summary>A head that cannot be trained on this data is left out with a warning: the others are of use without it.</summary>
    private EvaluatedHead? TryEvaluate(HeadFitter fitter, int index, EvaluatedPart[]? folds)
    {
        if (_failures[index] is null)
        {
            try
            {
                return Evaluate(fitter, index, folds);
            }
            catch (TransferException e) when (HeadFitter.IsOfHead(e))
            {
                _failures[index] = e;
            }
        }

        var pair = _plan.Pairs[index];
        _warnings.Add($"{pair.ShortName}: left out: {_failures[index]!.Message}");
        _leftOut.Add(new LeftOutHead(fitter.Spec.Trainer.Name, pair.Title, pair.Set, _failures[index]!.Message));
        return null;
    }

    private EvaluatedHead Evaluate(HeadFitter fitter, int index, EvaluatedPart[]? folds)
    {
        var pair = _plan.Pairs[index];
        _options.Progress(pair.ShortName);
        var clock = Stopwatch.StartNew();
        // Chosen inside the training photos, for the head that is kept. Folds have chosen for themselves, each in its own training part.
        var choice = fitter.Choose(_protocol.FinalTrain, _options.Threads);
        var sweepSeconds = fitter.Spec.Sweeps.Count == 0 ? 0 : clock.Elapsed.TotalSeconds;
        // A head may warn in the sweep and again in the fit; each line is shown once.
        var warned = new List<string>();
        var (head, fitSeconds) = fitter.TrainTimed(_protocol.FinalTrain, _protocol.Watched, choice.Options, warned.Add);
        var (predictions, predictSeconds) = fitter.EvaluateTimed(head, _protocol.Evaluated);
        _warnings.AddRange(choice.Warnings.Concat(warned).Distinct().Select(w => $"{pair.ShortName}: {w}"));
        return new(
            fitter,
            pair.Title,
            pair.ShortName,
            pair.Name,
            HeadSpec.Join(fitter.Spec.SettingsWith(choice.Options), pair.OnSet),
            pair.Set,
            head,
            choice,
            sweepSeconds,
            // The head of a classifier was trained elsewhere; taking it from the file is no fit.
            head.Name == Heads.Tuned.HeadName
                ? double.NaN
                : fitSeconds,
            predictSeconds,
            folds ?? [new(choice.Options, predictions)]
        );
    }

    private FewShotCurve[] FewShotCurves(IReadOnlyList<EvaluatedHead> evaluated)
    {
        if (_options.FewShotPerClass.Count == 0)
            return [];
        _options.Progress("few-shot curves");
        // A head that came with its backbone was trained on all training photos; it cannot be trained on a few of them.
        return FewShot.Run([.. evaluated.Where(j => j.Head.Name != Heads.Tuned.HeadName)], _protocol, _options, _warnings.Add);
    }

    private DataCheck? Check(EvaluatedHead best)
    {
        if (!_options.CheckData)
            return null;
        _options.Progress("data check");
        DataCheck check;
        try
        {
            check = DataChecker.Run(best, _protocol, _plan.Duplicates, _options);
        }
        catch (TransferException e) when (HeadFitter.IsOfHead(e))
        {
            // The check trains on folds of all photos, where a head can fail that could be trained on the split.
            _warnings.Add($"{best.ShortName}: no check of the data: {e.Message}");
            return null;
        }

        if (check.EvaluatedWithDuplicate > 0)
            _warnings.Add(
                $"{check.EvaluatedWithDuplicate} of {best.All.Count} evaluated photos have a near-duplicate among those trained on: "
                    + $"figures may be optimistic"
            );
        return check;
    }

    /// <summary>The best head, or the best of those that can be trained on a part of the photos.</summary>
    private static EvaluatedHead BestTrainable(EvaluatedHead[] evaluated, int best) =>
        evaluated[best].Head.Name != Heads.Tuned.HeadName
            ? evaluated[best]
            : evaluated.Where(j => j.Head.Name != Heads.Tuned.HeadName).MaxBy(j => j.All.Accuracy) ?? evaluated[best];

    private FeatureMap? Map(EvaluatedHead best)
    {
        if (!_options.Map)
            return null;
        _options.Progress("feature map");
        return FeatureMapper.Run(best.Fitter.View, best.FeatureSet, _options.Seed, _options.Threads, _options.Cancellation);
    }
}
