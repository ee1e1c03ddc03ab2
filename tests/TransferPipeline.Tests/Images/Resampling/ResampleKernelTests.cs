using System.Diagnostics;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images.Resampling;

/// <summary>Which kernel is picked: by the processor, or by the environment; in child processes, since both are read at start.</summary>
public sealed class ResampleKernelTests
{
    [Theory]
    [InlineData("TRANSFER_SIMD", "scalar")]
    [InlineData("DOTNET_EnableAVX512", "0")]
    [InlineData("DOTNET_EnableAVX2", "0")]
    public async Task The_suite_of_the_preprocessor_passes_in_a_child_process_with(string variable, string value)
    {
        var start = TestProgram.With("-class", typeof(PreprocessorTests).FullName!, "-noColor");
        start.Environment[variable] = value;
        using var child = Process.Start(start)!;
        var cancellation = TestContext.Current.CancellationToken;
        var errors = child.StandardError.ReadToEndAsync(cancellation);
        var output = await child.StandardOutput.ReadToEndAsync(cancellation) + await errors;
        await child.WaitForExitAsync(cancellation);
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("Failed: 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Available_ends_with_the_widest_that_this_processor_runs()
    {
        var names = ResampleKernel.Available().Select(k => k.Name).ToArray();
        Assert.Equal("scalar", names[0]);
        Assert.Equal(names.Order(StringComparer.Ordinal).OrderBy(n => n == "scalar" ? 0 : int.Parse(n)), names);
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            Assert.Contains("256", names);
    }

    [Fact]
    public void Create_takes_the_named_kernel_and_refuses_other_names()
    {
        foreach (var kernel in ResampleKernel.Available())
            Assert.Equal(kernel.Name, ResampleKernel.Create(kernel.Name).Name);
        Assert.Equal(ResampleKernel.Available().Last().Name, ResampleKernel.Create("").Name);
        var error = Assert.Throws<UsageException>(() => ResampleKernel.Create("avx2"));
        Assert.Equal("TRANSFER_SIMD is 'avx2'; expected one of scalar, 128, 256, 512", error.Message);
    }
}
