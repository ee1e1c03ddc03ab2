using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Tests.Heads.Numerics;

public sealed class CholeskyTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 2)]
    [InlineData(67, 5)]
    [InlineData(150, 13)]
    public void Solve_SeveralRightSides_SolvesEach(int n, int count)
    {
        var draw = Mixture.Draw(3);
        var b = Array.ConvertAll(new double[n * n], _ => draw() - 0.5);
        var a = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                a[i * n + j] = Enumerable.Range(0, n).Sum(k => b[i * n + k] * b[j * n + k]) + (i == j ? 1 : 0);
        }

        var right = Array.ConvertAll(new double[count * n], _ => draw());
        var (one, two) = ((double[])right.Clone(), (double[])right.Clone());
        var cancellation = TestContext.Current.CancellationToken;
        Cholesky.Factor((double[])a.Clone(), n, 1, cancellation)!.Solve(one, count, 1);
        Cholesky.Factor((double[])a.Clone(), n, 2, cancellation)!.Solve(two, count, 2);

        Assert.Equal(one, two);
        for (var k = 0; k < count; k++)
        {
            for (var i = 0; i < n; i++)
                Assert.Equal(right[k * n + i], Enumerable.Range(0, n).Sum(j => a[i * n + j] * one[k * n + j]), 1e-9);
        }
    }

    [Fact]
    public unsafe void FourDots_AnyLength_HasTheBitsOfDot()
    {
        const int Stride = 70;
        var draw = Mixture.Draw(7);
        var rows = Array.ConvertAll(new double[4 * Stride], _ => draw() - 0.5);
        var vector = Array.ConvertAll(new double[Stride], _ => draw() - 0.5);
        var found = stackalloc double[4];
        fixed (
            double* a = rows,
                b = vector
        )
        {
            for (var length = 0; length <= Stride; length++)
            {
                DoubleVectors.FourDots(a, Stride, b, length, found);
                for (var r = 0; r < 4; r++)
                    Assert.Equal(DoubleVectors.Dot(a + r * Stride, b, length), found[r]);
            }
        }
    }
}
