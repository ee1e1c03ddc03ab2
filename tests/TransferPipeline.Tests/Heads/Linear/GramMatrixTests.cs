using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Tests.Heads.Linear;

public sealed class GramMatrixTests
{
    /// <summary>Rows and values around the sizes of tiles (80 x 256), strips (64) and row blocks (64).</summary>
    public static TheoryData<int, int, bool, bool> Shapes =>
        new()
        {
            { 1, 1, false, false },
            { 63, 7, true, false },
            { 65, 80, false, true },
            { 130, 81, true, true },
            { 5, 257, true, false },
            { 200, 337, true, true },
            { 40, 600, false, false },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Add_AnyShape_AddsTheSumsOfProducts(int count, int length, bool shifted, bool weighted)
    {
        var random = new Random(count * length);
        var x = new FeatureMatrix(count, length);
        for (var i = 0; i < count * length; i++)
            x.Data[i] = random.NextSingle() * 4 - 1;
        var shift = shifted ? Enumerable.Range(0, length).Select(_ => random.NextDouble()).ToArray() : null;
        var weights = weighted ? Enumerable.Range(0, count).Select(_ => random.NextSingle() + 0.5f).ToArray() : null;
        var rows = RowSet.View(x, [.. Enumerable.Range(0, count)], new int[count]);
        var (wide, narrow) = (new double[length * length], new float[length * length]);
        for (var i = 0; i < length; i++)
        {
            for (var j = 0; j < length; j++)
                wide[i * length + j] = narrow[i * length + j] = i == j ? 1 : 0.5f;
        }

        GramMatrix<double>.Add(rows, shift, weights, wide, threads: 2, TestContext.Current.CancellationToken);
        GramMatrix<float>.Add(rows, shift, weights, narrow, threads: 2, TestContext.Current.CancellationToken);
        for (var i = 0; i < length; i++)
        {
            for (var j = 0; j < length; j++)
            {
                var (sum, size) = (i == j ? 1.0 : 0.5, 1.0);
                for (var r = 0; r < count; r++)
                {
                    var term = (x.Row(r)[i] - (shift?[i] ?? 0)) * (x.Row(r)[j] - (shift?[j] ?? 0)) * (weights?[r] ?? 1);
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }

                Assert.InRange(wide[i * length + j], sum - 1e-13 * size, sum + 1e-13 * size);
                Assert.InRange(narrow[i * length + j], sum - 2e-6 * size, sum + 2e-6 * size);
            }
        }

        GC.KeepAlive(rows);
    }
}
