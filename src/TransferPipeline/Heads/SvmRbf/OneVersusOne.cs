namespace TransferPipeline.Heads;

/// <summary>
/// From the decisions of all pairs of classes to one score per class, as scikit-learn's decision_function_shape='ovr': votes plus the
/// summed decisions squeezed to less than a third; for two classes the decision itself.
/// </summary>
internal static class OneVersusOne
{
    /// <param name="decisions">K x K; [i, j] with i before j is the decision of their pair (positive for i), [j, i] its negative.</param>
    /// <param name="breakTies">
    /// Leave classes of equal votes in the order of their decisions (SVC's break_ties=True). Otherwise the first of them gets the largest
    /// score, since that is what LIBSVM, and SVC by default, predicts.
    /// </param>
    public static void Scores(ReadOnlySpan<double> decisions, bool breakTies, Span<float> scores)
    {
        var classes = scores.Length;
        var votes = classes <= 256 ? stackalloc int[classes] : new int[classes];
        for (var i = 0; i < classes; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < classes; j++)
            {
                var decision = decisions[i * classes + j];
                sum += decision;
                // A decision of exactly 0 is a vote for the later class of the pair, as in LIBSVM.
                if (i != j && (i < j ? decision > 0 : decision >= 0))
                    votes[i]++;
            }

            scores[i] = (float)(classes == 2 ? sum : votes[i] + sum / (3 * (Math.Abs(sum) + 1)));
        }

        if (breakTies || classes == 2)
            return;
        var (first, best) = (0, 0);
        for (var c = 1; c < classes; c++)
        {
            first = votes[c] > votes[first] ? c : first;
            best = scores[c] > scores[best] ? c : best;
        }

        (scores[first], scores[best]) = (scores[best], scores[first]);
    }
}
