using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Common;

public sealed class OldOperatorsTests
{
    /// <summary>Opsets at which an operator that heads use changed.</summary>
    private static readonly int[] Opsets = [7, 8, 9, 10, 11, 13];

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var trainer in HeadCatalog.Trainers)
        {
            cases.Add(trainer.Name, "");
            if (trainer.Options.Any(o => o.Name == "scaling"))
            {
                cases.Add(trainer.Name, "scaling=standard");
                cases.Add(trainer.Name, "scaling=l2");
            }
        }

        cases.Add("nearest-mean", "metric=cosine");
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Export_AnyOpset_GivesTheHeadsProbabilities(string name, string option)
    {
        var (x, y) = Mixture.Create(120, 10, 3, 7, 0.6);
        // A photo of zeros has no length to divide by.
        x.Row(100).Clear();
        var trainer = HeadCatalog.Find(name);
        var settings = Mixture.Settings(
            trainer,
            [.. new[] { option.Split('=') }.Where(o => o.Length == 2).Select(o => (o[0], o[1])), .. Small(trainer)]
        );
        var head = trainer.Train(Mixture.Training(x, y, 90), settings, new());
        int[] rows = [.. Enumerable.Range(90, 30)];
        var own = HeadChecks.Probabilities(head, x, rows);
        foreach (var opset in Opsets)
            HeadChecks.AssertClose(own, HeadChecks.OnnxProbabilities(head, x, rows, opset), 1e-5);
    }

    private static IEnumerable<(string, string)> Small(IHeadTrainer trainer) =>
        trainer.Options.Any(o => o.Name == "n_estimators") ? [("n_estimators", "10")] : [];
}
