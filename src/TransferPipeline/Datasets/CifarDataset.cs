using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary form: records of one label byte (CIFAR-100: coarse, then fine) and 3 x 32 x 32 bytes, plane by
/// plane (www.cs.toronto.edu/~kriz/cifar.html). A photo is handed out as a PPM file, so that it passes through the same decoding as all.
/// </summary>
internal sealed class CifarDataset : Dataset
{
    private const int Side = 32;
    private const int PlaneBytes = Side * Side;
    private const int PixelBytes = 3 * PlaneBytes;

    private readonly Arranged _arranged;
    private readonly List<(SafeFileHandle Handle, int Record, long Mtime)> _photos;
    private readonly int _labelBytes;

    private CifarDataset(string source, Arranged arranged, List<(SafeFileHandle, int, long)> photos, int labelBytes, IReadOnlyList<DatasetProblem> problems) =>
        (Source, _arranged, _photos, _labelBytes, Problems) = (source, arranged, photos, labelBytes, problems);

    public override string Source { get; }

    public override IReadOnlyList<string> Classes => _arranged.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => _arranged.Entries;

    public override IReadOnlyList<DatasetProblem> Problems { get; }

    private static ReadOnlySpan<byte> PpmHeader => "P6\n32 32\n255\n"u8;

    /// <param name="classes">10 or 100.</param>
    public static CifarDataset Open(DatasetOptions options, int classes)
    {
        var problems = new ProblemList();
        var labelBytes = classes == 10 ? 1 : 2;
        var files = Files(options.Path, classes);
        var names = Names(Path.GetDirectoryName(files[0].FullPath)!, classes, problems);
        var photos = new List<(SafeFileHandle Handle, int Record, long Mtime)>();
        var entries = new List<(PhotoEntry, int)>();
        try
        {
            foreach (var (file, split) in files)
            {
                var labels = Labels(file, labelBytes, classes);
                var handle = File.OpenHandle(file);
                var mtime = PhotoFiles.Nanoseconds(FileBytes.Real(file).LastWriteTimeUtc);
                for (var i = 0; i < labels.Length; i++)
                {
                    entries.Add((new PhotoEntry($"{Path.GetFileName(file)}#{i.ToString("d5", CultureInfo.InvariantCulture)}", names[labels[i]], split), photos.Count));
                    photos.Add((handle, i, mtime));
                }
            }

            return new CifarDataset(options.Path, Arranged.From(options.Path, entries, options, problems), photos, labelBytes, problems.ToList());
        }
        catch
        {
            Close(photos);
            throw;
        }
    }

    public override PhotoStamp Stamp(int index) => new(PpmHeader.Length + PixelBytes, _photos[_arranged.Items[index]].Mtime);

    public override int Read(int index, ref byte[] buffer)
    {
        var (handle, record, _) = _photos[_arranged.Items[index]];
        Span<byte> planes = stackalloc byte[PixelBytes];
        var offset = (long)record * (_labelBytes + PixelBytes) + _labelBytes;
        if (RandomAccess.Read(handle, planes, offset) != PixelBytes)
            throw new IOException($"{Entries[index].Path}: the file ends within the photo");
        FileBytes.MakeRoom(PpmHeader.Length + PixelBytes, Entries[index].Path, ref buffer);
        PpmHeader.CopyTo(buffer);
        var pixels = buffer.AsSpan(PpmHeader.Length, PixelBytes);
        for (var i = 0; i < PlaneBytes; i++)
        {
            pixels[3 * i] = planes[i];
            pixels[3 * i + 1] = planes[PlaneBytes + i];
            pixels[3 * i + 2] = planes[2 * PlaneBytes + i];
        }

        return PpmHeader.Length + PixelBytes;
    }

    public override void Dispose()
    {
        Close(_photos);
        base.Dispose();
    }

    private static void Close(List<(SafeFileHandle Handle, int, long)> photos)
    {
        foreach (var handle in photos.Select(p => p.Handle).Distinct())
            handle.Dispose();
    }

    private static List<(string FullPath, string Split)> Files(string path, int classes)
    {
        if (File.Exists(path))
            return [(Path.GetFullPath(path), SplitOf(path))];
        var pattern = classes == 10 ? "*_batch*.bin" : "t*.bin";
        var folder = CifarFolder(path, classes);
        var files = folder is null ? [] : Directory.GetFiles(folder, pattern).Select(file => (FullPath: Path.GetFullPath(file), Split: SplitOf(file))).ToList();
        if (files.Count == 0)
            throw new BadInputException($"{path} holds no CIFAR-{classes} in binary form; expected {(classes == 10 ? "data_batch_1.bin ... test_batch.bin" : "train.bin and test.bin")}");
        files.ForEach(file => FileBytes.RequireSome(file.FullPath, "CIFAR's binary form"));
        return [.. files.OrderBy(f => SplitNames.Order(f.Split)).ThenBy(f => f.FullPath, StringComparer.Ordinal)];
    }

    /// <summary>The folder with the files: the one given or the one that the archive unpacks to below it; null when neither has them.</summary>
    public static string? CifarFolder(string path, int classes)
    {
        string[] folders = [path, Path.Combine(path, classes == 10 ? "cifar-10-batches-bin" : "cifar-100-binary")];
        return Array.Find(folders, f => classes == 10 ? File.Exists(Path.Combine(f, "data_batch_1.bin")) || File.Exists(Path.Combine(f, "test_batch.bin")) : File.Exists(Path.Combine(f, "train.bin")) && File.Exists(Path.Combine(f, "fine_label_names.txt")));
    }

    private static string SplitOf(string file) => Path.GetFileName(file).StartsWith("test", StringComparison.OrdinalIgnoreCase) ? Splits.Test : Splits.Train;

    /// <summary>Class names from the text file beside the data; their numbers when it is not there.</summary>
    private static string[] Names(string folder, int classes, ProblemList problems)
    {
        var file = Path.Combine(folder, classes == 10 ? "batches.meta.txt" : "fine_label_names.txt");
        if (!File.Exists(file))
        {
            problems.Add(Path.GetFileName(file), "not there: classes are called by their numbers");
            return [.. Enumerable.Range(0, classes).Select(i => i.ToString(classes == 10 ? "d1" : "d2", CultureInfo.InvariantCulture))];
        }

        string[] names = [.. File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0)];
        return names.Length == classes && names.Distinct().Count() == classes
            ? names
            : throw new BadInputException($"{file} has {names.Distinct().Count()} different names, expected {classes}, one a line");
    }

    private static byte[] Labels(string file, int labelBytes, int classes)
    {
        var bytes = File.ReadAllBytes(file);
        var record = labelBytes + PixelBytes;
        if (bytes.Length == 0 || bytes.Length % record != 0)
        {
            throw new BadInputException(
                $"{file} has {bytes.Length:N0} bytes, expected a multiple of {record:N0} (a photo of CIFAR-{classes}); it was cut short or is of another kind, fetch it again");
        }

        var labels = new byte[bytes.Length / record];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = bytes[i * record + labelBytes - 1];
            if (labels[i] >= classes)
                throw new BadInputException($"{file}: photo {i} has label {labels[i]}, expected 0 to {classes - 1}; the file is damaged or not CIFAR-{classes}");
        }

        return labels;
    }
}
