using TransferPipeline.Images.Jpeg;

namespace TransferPipeline.Tests.Images.Jpeg;

/// <summary>Samples that a float transform made, rounded half to even, become those of libjpeg's integers.</summary>
public sealed class JpegTransformTests
{
    /// <summary>A mean of 2 x 10 / 8 above the middle is 130.5: 130 when halves go to even numbers, 131 in libjpeg.</summary>
    [Theory]
    [InlineData(10, 130, 131)]
    [InlineData(10, 131, 131)]
    [InlineData(10, 128, 128)]
    [InlineData(20, 130, 131)]
    [InlineData(20, 126, 126)]
    public void Restore_FlatBlock_RoundsHalvesUp(int step, byte level, byte expected)
    {
        var plane = Enumerable.Repeat(level, 64).ToArray();
        JpegTransform.Restore(plane, 8, 8, Steps(step));
        Assert.All(plane, sample => Assert.Equal(expected, sample));
    }

    /// <summary>Blocks of few, large coefficients, as strong compression leaves them.</summary>
    [Fact]
    public void Restore_SamplesOfAFloatTransform_GivesThoseOfTheIntegerOne()
    {
        var random = new Random(5);
        var (steps, changed) = (Steps(9), 0);
        for (var repeat = 0; repeat < 500; repeat++)
        {
            var coefficients = new int[64];
            for (var k = 0; k < 5; k++)
                coefficients[8 * random.Next(4) + random.Next(4)] = 9 * random.Next(-6, 7);
            var (plane, expected) = (PlainTransform.InFloats(coefficients), PlainTransform.InIntegers(coefficients));
            changed += plane.Zip(expected).Count(pair => pair.First != pair.Second);
            JpegTransform.Restore(plane, 8, 8, steps);
            Assert.Equal(expected, plane);
        }

        Assert.InRange(changed, 100, 64 * 500);
    }

    [Fact]
    public void Restore_StepsOfOneOrBlocksOverTheBorder_ChangesNothing()
    {
        var random = new Random(6);
        var plane = new byte[15 * 15];
        random.NextBytes(plane);
        byte[] before = [.. plane];
        JpegTransform.Restore(plane, 15, 15, Steps(1));
        Assert.Equal(before, plane);

        Array.Fill(plane, (byte)130);
        JpegTransform.Restore(plane, 15, 15, Steps(10));
        for (var i = 0; i < plane.Length; i++)
            Assert.Equal(i / 15 < 8 && i % 15 < 8 ? 131 : 130, plane[i]);
    }

    /// <summary>Noise is no block's rounded transform: nothing, or at most a level, may change.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(40)]
    public void Restore_Noise_StaysWithinALevel(int step)
    {
        var plane = new byte[64 * 64];
        new Random(7).NextBytes(plane);
        byte[] before = [.. plane];
        JpegTransform.Restore(plane, 64, 64, Steps(step));
        Assert.All(plane.Zip(before), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
    }

    private static int[] Steps(int step) => [.. Enumerable.Repeat(step, 64)];
}
