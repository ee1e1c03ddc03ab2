namespace TransferPipeline.Heads;

/// <summary>Two classes as rows of a kernel matrix: the first class's rows, then the second's, each contiguous.</summary>
/// <param name="First">First kernel row of the first class, which is positive.</param>
/// <param name="FirstCount">Its rows.</param>
/// <param name="Second">First kernel row of the second class.</param>
/// <param name="SecondCount">Its rows.</param>
/// <param name="FirstBound">C of the first class.</param>
/// <param name="SecondBound">C of the second class.</param>
internal sealed record PairProblem(int First, int FirstCount, int Second, int SecondCount, double FirstBound, double SecondBound)
{
    public int Count => FirstCount + SecondCount;

    /// <summary>Kernel row of the pair's row number <paramref name="i"/>.</summary>
    public int KernelRow(int i) => i < FirstCount ? First + i : Second + i - FirstCount;
}

/// <param name="Coefficients">y times alpha of each row of the pair: positive in the first class, negative in the second, zero but for
/// support vectors.</param>
/// <param name="Bias">Added to the sum; positive sums are the first class.</param>
/// <param name="Primal">Value of the primal objective at the solution.</param>
/// <param name="Dual">Value of the dual (to be maximized): never above the optimum, which is never above <paramref name="Primal"/>.</param>
internal sealed record PairSolution(double[] Coefficients, double Bias, double Primal, double Dual, int Iterations, bool Converged);
