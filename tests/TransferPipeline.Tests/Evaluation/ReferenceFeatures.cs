using System.Buffers.Binary;
using System.Text;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Evaluation;

/// <summary>
/// The reference features of hymenoptera/val (153 x 1280, ants and bees) as a feature set; every third photo is for validation.
/// </summary>
internal static class ReferenceFeatures
{
    public static FeatureSource Hymenoptera()
    {
        var bytes = File.ReadAllBytes(SharedData.RequireReference("features-hymenoptera-val-efficientnet-lite0.npy"));
        var files = File.ReadAllLines(SharedData.RequireReference("features-hymenoptera-val-files.txt")).Where(f => f.Length > 0).ToArray();
        var header = 10 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        Assert.Contains("'shape': (153, 1280)", Encoding.ASCII.GetString(bytes, 10, header - 10));
        var x = new FeatureMatrix(153, 1280);
        Buffer.BlockCopy(bytes, header, x.Data, 0, 153 * 1280 * sizeof(float));
        string[] classes = ["ants", "bees"];
        var rows = files
            .Select((file, i) => new FeatureRow(file, file.Split('/')[^2], i % 3 == 0 ? "validation" : "train", 0, "", 0, 0, 4, 4))
            .ToArray();
        return new(
            new("hymenoptera", "efficientnet-lite0", "penultimate", 1280, double.NaN, new Dictionary<string, string>()),
            new()
            {
                X = x,
                Y = [.. rows.Select(r => Array.IndexOf(classes, r.Label))],
                Classes = classes,
                Rows = rows,
            }
        );
    }
}
