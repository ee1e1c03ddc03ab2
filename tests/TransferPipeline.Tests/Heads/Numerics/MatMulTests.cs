using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Tests.Heads.Numerics;

public sealed class MatMulTests
{
    /// <summary>Every remainder of the tiles (4 rows, 5 classes, 64 and 16 columns) and a row longer than a piece.</summary>
    public static TheoryData<int, int, int> Shapes =>
        new()
        {
            { 1, 1, 1 },
            { 3, 2, 5 },
            { 4, 5, 16 },
            { 5, 6, 17 },
            { 7, 7, 31 },
            { 9, 8, 64 },
            { 33, 9, 80 },
            { 64, 10, 1280 },
            { 131, 11, 1281 },
            { 20, 12, 2047 },
            { 17, 3, 4133 },
            { 300, 120, 96 },
            { 2, 4, 3 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TransposedB_AnyShape_IsThePlainProduct(int aRows, int bRows, int columns)
    {
        var (a, b) = (Random(aRows * columns, 1), Random(bRows * columns, 2));
        var c = new float[aRows * bRows];
        MatMul.TransposedB(a, b, c, aRows, bRows, columns, threads: 2);
        for (var i = 0; i < aRows; i++)
        {
            for (var k = 0; k < bRows; k++)
            {
                double sum = 0,
                    size = 0;
                for (var d = 0; d < columns; d++)
                {
                    var term = (double)a[i * columns + d] * b[k * columns + d];
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }

                Assert.InRange(c[i * bRows + k], sum - 2e-6 * size, sum + 2e-6 * size);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddTransposedA_AnyShape_AddsThePlainProduct(int rows, int aColumns, int bColumns)
    {
        var (a, b) = (Random(rows * aColumns, 3), Random(rows * bColumns, 4));
        var c = new float[aColumns * bColumns];
        Array.Fill(c, 0.5f);
        MatMul.AddTransposedA(a, b, c, rows, aColumns, bColumns, threads: 2);
        for (var k = 0; k < aColumns; k++)
        {
            for (var d = 0; d < bColumns; d++)
            {
                double sum = 0.5,
                    size = 0.5;
                for (var i = 0; i < rows; i++)
                {
                    var term = (double)a[i * aColumns + k] * b[i * bColumns + d];
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }

                Assert.InRange(c[k * bColumns + d], sum - 2e-6 * size, sum + 2e-6 * size);
            }
        }
    }

    [Fact]
    public void Products_OneAndThreeThreads_AreIdentical()
    {
        var (a, b) = (Random(500 * 600, 5), Random(37 * 600, 6));
        var (one, three) = (new float[500 * 37], new float[500 * 37]);
        MatMul.TransposedB(a, b, one, 500, 37, 600, threads: 1);
        MatMul.TransposedB(a, b, three, 500, 37, 600, threads: 3);
        Assert.Equal(one, three);
        var (sumOne, sumThree) = (new float[37 * 600], new float[37 * 600]);
        MatMul.AddTransposedA(one, a, sumOne, 500, 37, 600, threads: 1);
        MatMul.AddTransposedA(one, a, sumThree, 500, 37, 600, threads: 3);
        Assert.Equal(sumOne, sumThree);
    }

    [Fact]
    public void TransposedB_SpanTooShort_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MatMul.TransposedB(new float[5], new float[6], new float[4], 2, 2, 3));

    private static float[] Random(int length, int seed)
    {
        var random = new Random(seed);
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = (float)(random.NextDouble() * 2 - 1);
        return values;
    }
}
