using System.Numerics.Tensors;

namespace TransferPipeline.Inference.Gpu;

/// <summary>Vectors of synthetic pixels, by which two ways to compute a batch are compared before the first photo.</summary>
internal static class SyntheticBatch
{
    /// <summary>Every output's vectors of a batch whose photos are all filled alike.</summary>
    public static float[][] Vectors(IBatchRunner runner, BatchTensors batch, Action<Span<byte>> fill)
    {
        for (var slot = 0; slot < batch.Size; slot++)
            fill(batch.Pixels(slot));
        runner.Run(batch);
        return [.. batch.Outputs.Select(o => o.GetTensorDataAsSpan<float>().ToArray())];
    }

    /// <summary>Largest over the outputs, relative to the first's length.</summary>
    public static float Distance(float[][] first, float[][] second) =>
        // Two equal vectors of zeros have the distance 0 and not NaN.
        first.Zip(second, (a, b) => TensorPrimitives.Distance<float>(a, b) / Math.Max(1e-12f, TensorPrimitives.Norm<float>(a))).Max();

    public static void Bands(Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i * 255L / pixels.Length);
    }

    // The seed is fixed: both ways to compute a batch take the same pixels.
    public static void Noise(Span<byte> pixels) => new Random(7).NextBytes(pixels);
}
