using System.Globalization;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Linear;

/// <summary>scikit-learn's answers on three small sets (goldens/make.py).</summary>
internal static class Goldens
{
    private static readonly string Folder = Path.Combine(
        SharedData.Repository,
        "tests",
        "TransferPipeline.Tests",
        "Heads",
        "Linear",
        "goldens"
    );

    /// <summary>All cases of a head as (data set, options).</summary>
    public static TheoryData<string, string> Cases(string head)
    {
        var cases = new TheoryData<string, string>();
        foreach (var row in Rows().Where(r => r[1] == head && r[3] == "0"))
            cases.Add(row[0], row[2]);
        return cases;
    }

    public static TrainingRows Data(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, $"data-{name}.tsv")).Select(l => l.Split('\t')).ToArray();
        var x = new FeatureMatrix(lines.Length, lines[0].Length - 1);
        for (var i = 0; i < lines.Length; i++)
        {
            for (var d = 0; d < x.Columns; d++)
                x.Row(i)[d] = float.Parse(lines[i][d + 1], CultureInfo.InvariantCulture);
        }

        var y = Array.ConvertAll(lines, l => int.Parse(l[0], CultureInfo.InvariantCulture));
        return new(x, y, [.. Enumerable.Range(0, y.Length)], y.Max() + 1);
    }

    /// <summary>Scores and probabilities of the first rows, one after the other.</summary>
    public static (float[] Scores, float[] Probabilities, int[] Rows) Expected(string head, string data, string options)
    {
        var rows = Rows().Where(r => r[0] == data && r[1] == head && r[2] == options).ToArray();
        var classes = (rows[0].Length - 4) / 2;
        float[] Values(int from) =>
            [.. rows.SelectMany(r => r[from..(from + classes)]).Select(v => float.Parse(v, CultureInfo.InvariantCulture))];
        return (Values(4), Values(4 + classes), [.. rows.Select(r => int.Parse(r[3], CultureInfo.InvariantCulture))]);
    }

    public static Dictionary<string, string> Options(string text) =>
        text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).ToDictionary(p => p[0], p => p[1]);

    /// <summary>Trains with the options and compares scores and probabilities with scikit-learn's.</summary>
    public static void Check(string head, string data, string options, float scoreTolerance, float probabilityTolerance)
    {
        var trainer = HeadCatalog.Find(head);
        var rows = Data(data);
        var fitted = trainer.Train(rows, HeadOptions.Parse(trainer, Options(options)), new TrainingContext { Warn = w => Assert.Fail(w) });
        var expected = Expected(head, data, options);
        var scores = new float[expected.Scores.Length];
        fitted.Score(rows.X, expected.Rows, scores, threads: 2);
        AssertClose(expected.Scores, scores, scoreTolerance);
        fitted.ToProbabilities(scores);
        AssertClose(expected.Probabilities, scores, probabilityTolerance);
    }

    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i], expected[i] - tolerance, expected[i] + tolerance);
    }

    private static IEnumerable<string[]> Rows() => File.ReadLines(Path.Combine(Folder, "scores.tsv")).Select(l => l.Split('\t'));
}
