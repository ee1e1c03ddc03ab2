using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using TransferPipeline;
using TransferPipeline.Datasets;

namespace Extensions;

/// <summary>MNIST's form: an IDX file of grey pictures and one of labels, for train and for t10k (the test split).</summary>
public sealed class IdxDataset(string folder) : Dataset
{
    private readonly (string Name, string Split, byte[] Photos, byte[] Labels)[] _files =
    [
        .. from part in new[] { ("train", Splits.Train), ("t10k", Splits.Test) }
        let labels = Read(Path.Combine(folder, part.Item1 + "-labels-idx1-ubyte"), 8)
        select (part.Item1, part.Item2, Read(Path.Combine(folder, part.Item1 + "-images-idx3-ubyte"), 16), labels),
    ];

    public override string Source => folder;

    public override IReadOnlyList<string> Classes => [.. Entries.Select(e => e.Label).Distinct().Order(StringComparer.Ordinal)];

    public override IReadOnlyList<PhotoEntry> Entries =>
        field ??= [
            .. from file in _files
            from i in Enumerable.Range(0, file.Labels.Length - 8)
            select new PhotoEntry($"{file.Name}/{i:00000}", file.Labels[8 + i].ToString(CultureInfo.InvariantCulture), file.Split),
        ];

    public override PhotoStamp Stamp(int index) => new(Bytes: 0, Mtime: 0);

    /// <summary>The picture as a PGM file.</summary>
    public override int Read(int index, ref byte[] buffer)
    {
        var (_, _, photos, _) = _files.First(f => index < f.Labels.Length - 8 || (index -= f.Labels.Length - 8) < 0);
        var (height, width) = (
            BinaryPrimitives.ReadInt32BigEndian(photos.AsSpan(8)),
            BinaryPrimitives.ReadInt32BigEndian(photos.AsSpan(12))
        );
        buffer = [.. Encoding.ASCII.GetBytes($"P5 {width} {height} 255\n"), .. photos.AsSpan(16 + index * width * height, width * height)];
        return buffer.Length;
    }

    private static byte[] Read(string file, int header)
    {
        var bytes = File.Exists(file) ? File.ReadAllBytes(file) : throw new BadInputException($"{file} is not there");
        return bytes.Length >= header
            ? bytes
            : throw new BadInputException($"{file} has {bytes.Length} bytes, expected a header of {header}");
    }
}
