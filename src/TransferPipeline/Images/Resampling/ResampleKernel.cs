using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Images;

/// <summary>
/// The two inner loops of a resize, on bytes with integer weights. All kernels give the same bytes; they differ in the
/// instructions that they use.
/// </summary>
internal abstract unsafe class ResampleKernel
{
    /// <summary>Rows that the horizontal pass takes at once: they share their weights.</summary>
    public const int RowsAtOnce = 4;

    /// <summary>A row of an intermediate picture is a multiple of this long and may be written up to its end.</summary>
    public const int RowAlignment = 64;

    /// <summary>Environment variable that forces a kernel: scalar, 128, 256 or 512.</summary>
    public const string Variable = "TRANSFER_SIMD";

    private static readonly string[] Names = ["scalar", "128", "256", "512"];

    /// <summary>Start value of each sum: a half, so that the shift rounds.</summary>
    protected const int Half = 1 << (ResampleAxis.WeightBits - 1);

    /// <summary>The name that <see cref="Variable"/> takes.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Resamples four rows of RGB to axis.Count pixels each. Sources may be read 16 bytes past the last pixel used;
    /// destinations are written up to 4 bytes past their last pixel.
    /// </summary>
    public abstract void Horizontal(byte** sources, ResampleAxis axis, byte** destinations);

    /// <summary>
    /// Weighted sum of <paramref name="axis"/>' Lengths[output] rows, the first at rows[0]; the pointer after the last row must be
    /// valid too. Bytes are written up to the next multiple of <see cref="RowAlignment"/>.
    /// </summary>
    public abstract void Vertical(byte** rows, ResampleAxis axis, int output, byte* destination, int bytes);

    /// <summary>The kernel that <see cref="Variable"/> names, else the widest that this processor runs.</summary>
    /// <exception cref="UsageException">The variable names no kernel, or one that this processor lacks.</exception>
    public static ResampleKernel Create() => Create(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The kernel of this name; null or empty is the widest.</summary>
    public static ResampleKernel Create(string? forced)
    {
        if (string.IsNullOrEmpty(forced))
            return Available().Last();
        // A misspelled name and a processor without the instructions have different cures.
        if (!Names.Contains(forced))
            Throw.Usage($"{Variable} is '{forced}'; expected one of {string.Join(", ", Names)}");
        var kernel = Available().FirstOrDefault(k => k.Name == forced);
        if (kernel is null)
            Throw.Usage($"{Variable} is '{forced}', which this processor does not run; unset it or use scalar");
        return kernel;
    }

    /// <summary>All kernels that this processor runs, slowest first.</summary>
    public static IEnumerable<ResampleKernel> Available()
    {
        yield return new ScalarResampleKernel();
        if (Vector128.IsHardwareAccelerated)
            yield return new Vector128ResampleKernel();
        if (Avx2.IsSupported)
            yield return new Avx2ResampleKernel();
        // BW has the instructions for 8 and 16 bits; AVX-512F has those for 32 and 64 bits alone.
        if (Avx512BW.IsSupported)
            yield return new Avx512ResampleKernel();
    }
}
