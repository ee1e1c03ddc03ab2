using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads;

/// <summary>Synthetic classes, drawn bit for bit as tests/rivals/goldens/mixture.py draws them.</summary>
internal sealed class Mixture
{
    private uint _state;

    private Mixture(uint seed) => _state = seed;

    /// <summary>Row i is of class i % classes and lies around its class's centre.</summary>
    public static (FeatureMatrix X, int[] Y) Create(int rows, int columns, int classes, uint seed, double spread = 1)
    {
        var draw = new Mixture(seed);
        var centres = new double[classes * columns];
        for (var i = 0; i < centres.Length; i++)
            centres[i] = draw.Next();
        var x = new FeatureMatrix(rows, columns);
        var y = new int[rows];
        for (var i = 0; i < rows; i++)
        {
            y[i] = i % classes;
            for (var j = 0; j < columns; j++)
            {
                var noise = draw.Next() + draw.Next() + draw.Next() - 1.5;
                x.Row(i)[j] = (float)(centres[y[i] * columns + j] + spread * noise);
            }
        }

        return (x, y);
    }

    /// <summary>The numbers that mixture.py's Draw gives for a seed.</summary>
    public static Func<double> Draw(uint seed) => new Mixture(seed).Next;

    /// <summary>The first <paramref name="train"/> rows to train on.</summary>
    public static TrainingRows Training(FeatureMatrix x, int[] y, int train) => new(x, y, [.. Enumerable.Range(0, train)], y.Max() + 1);

    public static HeadOptions Settings(IHeadTrainer trainer, params (string Name, string Value)[] given) =>
        HeadOptions.Parse(trainer, given.ToDictionary(g => g.Name, g => g.Value));

    /// <summary>Multiples of 2^-24 in [0, 1).</summary>
    private double Next()
    {
        _state = _state * 1664525 + 1013904223;
        return (_state >> 8) / 16777216.0;
    }
}
