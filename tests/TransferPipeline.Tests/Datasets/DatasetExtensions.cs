using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

internal static class DatasetExtensions
{
    /// <summary>The encoded photo in an array of its own.</summary>
    public static byte[] Bytes(this Dataset data, int index)
    {
        var buffer = Array.Empty<byte>();
        var length = data.Read(index, ref buffer);
        return buffer[..length];
    }
}
