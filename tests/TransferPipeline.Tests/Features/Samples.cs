using System.Security.Cryptography;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Features;

/// <summary>Synthetic parts of feature sets: the same for the same arguments.</summary>
internal static class Samples
{
    public static (List<FeatureRow> Rows, FeatureMatrix Vectors) Make(int rows, int columns, int seed = 1)
    {
        var random = new Random(seed);
        var vectors = new FeatureMatrix(rows, columns);
        for (var i = 0; i < rows * columns; i++)
            vectors.Data[i] = (float)((random.NextDouble() * 6) - 1);
        return ([.. Enumerable.Range(0, rows).Select(i => Row(i, random))], vectors);
    }

    private static FeatureRow Row(int i, Random random) =>
        new(
            $"train/{(i % 3 == 0 ? "hüte, \"alt\"" : "shoes")}/{i:d5} 'of' 日本.jpg",
            i % 3 == 0 ? "hüte, \"alt\"" : "shoes",
            i % 5 == 0 ? "validation" : "train",
            i % 4,
            Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(i))),
            random.NextInt64(1L << 40),
            1_700_000_000_000_000_000 + i,
            random.Next(1, 30_000),
            random.Next(1, 30_000)
        );
}
