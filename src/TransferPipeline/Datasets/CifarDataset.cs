using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary form, records of one label byte (CIFAR-100: coarse, then fine) and 3 x 32 x 32 bytes, plane by
/// plane (www.cs.toronto.edu/~kriz/cifar.html), or in their Python form, pickled arrays of the same bytes. A photo is handed out as a PPM
/// file, so that it passes through the same decoding as all.
/// </summary>
internal sealed class CifarDataset : Dataset
{
    private const int Side = 32;
    private const int PlaneBytes = Side * Side;
    private const int PixelBytes = CifarFiles.PixelBytes;

    private readonly OrderedPhotos _ordered;
    private readonly List<Photo> _photos;

    private CifarDataset(string source, OrderedPhotos ordered, List<Photo> photos, IReadOnlyList<DatasetProblem> problems) =>
        (Source, _ordered, _photos, Problems) = (source, ordered, photos, problems);

    public override string Source { get; }

    public override IReadOnlyList<string> Classes => _ordered.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => _ordered.Entries;

    public override IReadOnlyList<DatasetProblem> Problems { get; }

    private static ReadOnlySpan<byte> PpmHeader => "P6\n32 32\n255\n"u8;

    /// <param name="classes">10 or 100.</param>
    public static CifarDataset Open(DatasetOptions options, int classes)
    {
        var problems = new ProblemList();
        var (files, isPython) = CifarFiles.Find(options.Path, classes, problems);
        var names = CifarFiles.Names(Path.GetDirectoryName(files[0].FullPath)!, classes, isPython, problems);
        var photos = new List<Photo>();
        var entries = new List<(PhotoEntry, int)>();
        try
        {
            foreach (var file in files)
            {
                var handle = File.OpenHandle(file.FullPath);
                var mtime = PhotoFiles.Nanoseconds(FileBytes.Real(file.FullPath).LastWriteTimeUtc);
                for (var i = 0; i < file.Labels.Length; i++)
                {
                    // CIFAR-100's training file has 50,000 photos: with five digits the
                    // ordinal order of names is that of the file.
                    var name = $"{Path.GetFileName(file.FullPath)}#{i.ToString("d5", CultureInfo.InvariantCulture)}";
                    entries.Add((new PhotoEntry(name, names[file.Labels[i]], file.Split), photos.Count));
                    photos.Add(new Photo(handle, file.Pixels, file.FirstPixel + (long)i * file.Stride, mtime, file.FullPath));
                }
            }

            // One file was named by the user; only a folder can lack batches.
            if (!File.Exists(options.Path))
                NoteMissing(files, classes, problems);
            return new CifarDataset(options.Path, OrderedPhotos.From(options.Path, entries, options, problems), photos, problems.ToList())
            {
                Form = $"CIFAR-{classes}, {(isPython ? "Python" : "binary")} version",
            };
        }
        catch
        {
            Close(photos);
            throw;
        }
    }

    /// <summary>Notes batches that are missing beside others.</summary>
    private static void NoteMissing(List<CifarFile> files, int classes, ProblemList problems)
    {
        var there = files.Select(f => Path.GetFileNameWithoutExtension(f.FullPath)).ToHashSet();
        foreach (var name in CifarFiles.BatchNames(classes).Where(name => !there.Contains(name)))
            problems.Add(name, "the file is not there; its photos are missing");
    }

    // The length of the PPM file that Read makes: an extraction compares it with what it has read.
    public override PhotoStamp Stamp(int index) => new(PpmHeader.Length + PixelBytes, _photos[_ordered.Items[index]].Mtime);

    public override string? FileOf(int index) => _photos[_ordered.Items[index]].File;

    public override int Read(int index, ref byte[] buffer)
    {
        var photo = _photos[_ordered.Items[index]];
        Span<byte> planes = stackalloc byte[PixelBytes];
        if (photo.Pixels is { } pixelsOfAll)
            pixelsOfAll.AsSpan((int)photo.Offset, PixelBytes).CopyTo(planes);
        else if (RandomAccess.Read(photo.Handle, planes, photo.Offset) != PixelBytes)
            throw new IOException($"{Entries[index].Path}: the file ends within the photo");
        FileBytes.MakeRoom(PpmHeader.Length + PixelBytes, Entries[index].Path, ref buffer);
        PpmHeader.CopyTo(buffer);
        var pixels = buffer.AsSpan(PpmHeader.Length, PixelBytes);
        // PPM wants red, green and blue of each pixel side by side; CIFAR stores the three planes one after the other.
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

    private static void Close(List<Photo> photos)
    {
        foreach (var handle in photos.Select(p => p.Handle).Distinct())
            handle.Dispose();
    }

    /// <param name="Pixels">Of all photos of the file, where these do not lie in it as bytes; else null.</param>
    /// <param name="Offset">Of the photo's pixels in them or in the file.</param>
    private readonly record struct Photo(SafeFileHandle Handle, byte[]? Pixels, long Offset, long Mtime, string File);
}
