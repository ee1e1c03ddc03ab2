namespace TransferPipeline.Images;

/// <summary>Plain loops: for processors without vectors, and what the other kernels are compared with.</summary>
internal sealed unsafe class ScalarResampleKernel : ResampleKernel
{
    public override string Name => "scalar";

    public override void Horizontal(byte** sources, ResampleAxis axis, byte** destinations)
    {
        for (var row = 0; row < RowsAtOnce; row++)
        {
            var destination = destinations[row];
            for (var i = 0; i < axis.Count; i++, destination += 3)
            {
                var weights = axis.Weights.AsSpan(i * axis.Taps, axis.Lengths[i]);
                var source = sources[row] + axis.Starts[i] * 3;
                int red = Half,
                    green = Half,
                    blue = Half;
                foreach (var weight in weights)
                {
                    red += source[0] * weight;
                    green += source[1] * weight;
                    blue += source[2] * weight;
                    source += 3;
                }

                destination[0] = Clip(red);
                destination[1] = Clip(green);
                destination[2] = Clip(blue);
            }
        }
    }

    public override void Vertical(byte** rows, ResampleAxis axis, int output, byte* destination, int bytes)
    {
        var weights = axis.Weights.AsSpan(output * axis.Taps, axis.Lengths[output]);
        for (var x = 0; x < bytes; x++)
        {
            var sum = Half;
            for (var t = 0; t < weights.Length; t++)
                sum += rows[t][x] * weights[t];
            destination[x] = Clip(sum);
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResampleAxis.WeightBits, 0, 255);
}
