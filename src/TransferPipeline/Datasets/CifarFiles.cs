using System.Globalization;

namespace TransferPipeline.Datasets;

/// <summary>One file of CIFAR: a label per photo, and where the photos' bytes lie.</summary>
/// <param name="FirstPixel">Offset of the first photo's pixels in the file, bytes.</param>
/// <param name="Stride">Bytes from one photo's pixels to the next one's.</param>
/// <param name="Pixels">The pixels where the file has them in another form (a pickle of protocol 2 by Python 3); else null.</param>
internal sealed record CifarFile(string FullPath, string Split, byte[] Labels, long FirstPixel, int Stride, byte[]? Pixels = null);

/// <summary>
/// Finds and checks the files of CIFAR-10 and CIFAR-100, in the binary form (.bin) and in the Python form (pickled batches).
/// </summary>
internal static class CifarFiles
{
    public const int PixelBytes = 3 * 32 * 32;

    /// <summary>The files in order, and whether they are pickled.</summary>
    public static (List<CifarFile> Files, bool IsPython) Find(string path, int classes, ProblemList problems)
    {
        if (File.Exists(path))
            return ([IsPickle(path) ? Pickled(path, classes) : Binary(path, classes)], IsPickle(path));
        if (BinaryFolder(path, classes) is { } binary)
            return (Batches(binary, classes, ".bin", file => Binary(file, classes), problems), false);
        if (PythonFolder(path, classes) is { } python)
            return (Batches(python, classes, "", file => Pickled(file, classes), problems), true);
        throw new BadInputException(
            $"{path} holds no CIFAR-{classes}; expected "
                + $"{(classes == 10 ? "data_batch_1.bin ... test_batch.bin" : "train.bin and test.bin")} (the binary version) or "
                + $"{(classes == 10 ? "data_batch_1 ... test_batch" : "train and test")} (the Python version)"
        );
    }

    /// <summary>Whether a folder, or the one that the archive unpacks to below it, holds CIFAR in either form.</summary>
    public static bool Has(string path, int classes) => (BinaryFolder(path, classes) ?? PythonFolder(path, classes)) is not null;

    /// <summary>Class names from the list beside the data; their numbers when it is not there.</summary>
    public static string[] Names(string folder, int classes, bool isPython, ProblemList problems)
    {
        var file = Path.Combine(
            folder,
            (classes, isPython) switch
            {
                (10, false) => "batches.meta.txt",
                (10, true) => "batches.meta",
                (_, false) => "fine_label_names.txt",
                _ => "meta",
            }
        );
        if (!File.Exists(file))
        {
            problems.Add(Path.GetFileName(file), "not there: classes are called by their numbers");
            // Two digits for 100 classes, so that the ordinal order of the names is that of the numbers.
            return [.. Enumerable.Range(0, classes).Select(i => i.ToString(classes == 10 ? "d1" : "d2", CultureInfo.InvariantCulture))];
        }

        var names = isPython ? PickledNames(file, classes) : TextFile.Names(file);
        // Two numbers of one name would become one class.
        return names.Length == classes && names.Distinct().Count() == classes
            ? names
            : throw new BadInputException($"{file} has {names.Distinct().Count()} different names, expected {classes}, one per line");
    }

    // train.bin is a common name: the list of class names beside it shows that the folder is CIFAR-100's.
    private static string? BinaryFolder(string path, int classes) =>
        Folder(
            path,
            classes == 10 ? "cifar-10-batches-bin" : "cifar-100-binary",
            f =>
                classes == 10
                    ? Has(f, "data_batch_1.bin") || Has(f, "test_batch.bin")
                    : Has(f, "train.bin") && Has(f, "fine_label_names.txt")
        );

    // Folders of splits contain train and test as well; here these are files,
    // with meta beside them or with a pickle's first bytes.
    private static string? PythonFolder(string path, int classes) =>
        Folder(
            path,
            classes == 10 ? "cifar-10-batches-py" : "cifar-100-python",
            f =>
                classes == 10
                    ? Has(f, "data_batch_1") || Has(f, "test_batch")
                    : (Has(f, "train") || Has(f, "test"))
                        && (
                            (Has(f, "train") && Has(f, "test") && Has(f, "meta"))
                            || IsPickle(Path.Combine(f, Has(f, "train") ? "train" : "test"))
                        )
        );

    private static string? Folder(string path, string inside, Predicate<string> holds) =>
        Array.Find([path, Path.Combine(path, inside)], holds);

    private static bool Has(string folder, string file) => File.Exists(Path.Combine(folder, file));

    /// <summary>Whether a file begins as pickles of protocol 2 and later do.</summary>
    public static bool IsPickle(string file)
    {
        // A pipe or device has length 0, and opening it could wait for ever.
        if (FileBytes.Length(file) < 2)
            return false;
        Span<byte> start = stackalloc byte[2];
        using var handle = File.OpenHandle(file);
        return RandomAccess.Read(handle, start, 0) == 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5;
    }

    /// <summary>The names of all batches, in order.</summary>
    public static string[] BatchNames(int classes) =>
        classes == 10 ? [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}"), "test_batch"] : ["train", "test"];

    private static List<CifarFile> Batches(string folder, int classes, string extension, Func<string, CifarFile> read, ProblemList problems)
    {
        string[] names = [.. BatchNames(classes).Select(name => name + extension)];
        // A copy of a batch (data_batch_1 (1).bin) would count its photos twice.
        foreach (
            var other in Directory
                .EnumerateFiles(folder)
                .Select(file => Path.GetFileName(file))
                .Where(name => !names.Contains(name) && IsLikeABatch(name, classes, extension))
                .Order(StringComparer.Ordinal)
        )
            problems.Add(other, $"not read: no batch of CIFAR-{classes} has this name");
        var paths = names.Select(name => Path.GetFullPath(Path.Combine(folder, name))).Where(File.Exists).ToList();
        // All are checked before the first is read, since reading a pipe could wait for ever.
        paths.ForEach(file => FileBytes.RequireSome(file, "CIFAR's binary form or Python version"));
        return paths.ConvertAll(file => read(file));
    }

    /// <summary>Whether the name of a file begins or ends as that of a batch does; without an extension many files would end so.</summary>
    private static bool IsLikeABatch(string name, int classes, string extension) =>
        extension.Length > 0 ? name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)
        : classes == 10 ? name.Contains("_batch", StringComparison.Ordinal) && !name.EndsWith(".bin", StringComparison.Ordinal)
        : !name.Contains('.', StringComparison.Ordinal)
            && (name.StartsWith("train", StringComparison.Ordinal) || name.StartsWith("test", StringComparison.Ordinal));

    private static string SplitOf(string file) =>
        Path.GetFileName(file).StartsWith("test", StringComparison.OrdinalIgnoreCase) ? Splits.Test : Splits.Train;

    private static CifarFile Binary(string file, int classes)
    {
        var bytes = File.ReadAllBytes(file);
        // CIFAR-100 has a coarse label before the fine one.
        var labelBytes = classes == 10 ? 1 : 2;
        var record = labelBytes + PixelBytes;
        if (bytes.Length == 0 || bytes.Length % record != 0)
        {
            throw new BadInputException(
                $"{file} has {bytes.Length:N0} bytes, expected a multiple of {record:N0} (a photo of CIFAR-{classes}); it was cut "
                    + $"short or is of another kind, fetch it again"
            );
        }

        var labels = new byte[bytes.Length / record];
        for (var i = 0; i < labels.Length; i++)
            labels[i] = Checked(file, i, bytes[i * record + labelBytes - 1], classes);
        return new CifarFile(Path.GetFullPath(file), SplitOf(file), labels, labelBytes, record);
    }

    private static CifarFile Pickled(string file, int classes)
    {
        var bytes = File.ReadAllBytes(file);
        var content = Unpickle(file, bytes, classes);
        if (content.GetValueOrDefault("data") is not PickledArray { Shape: [var count, PixelBytes], Type: "u1" } photos)
            throw Bad(file, classes, $"it has no array 'data' of N x {PixelBytes:N0} bytes");
        var key = classes == 10 ? "labels" : "fine_labels";
        var labels = content.GetValueOrDefault(key) switch
        {
            // What is no number becomes -1, which Checked refuses with the photo's number.
            List<object?> list => [.. list.Select(label => label as long? ?? -1)],
            PickledArray { Shape: [_] } array => Pickle.Numbers(bytes, array),
            _ => null,
        };
        if (labels?.Length != count)
            throw Bad(file, classes, $"it has no list '{key}' of {count:N0} labels");
        return new CifarFile(
            Path.GetFullPath(file),
            SplitOf(file),
            [.. labels.Select((label, i) => Checked(file, i, label, classes))],
            photos.Data.Offset,
            PixelBytes,
            photos.Content
        );
    }

    private static string[] PickledNames(string file, int classes)
    {
        var bytes = File.ReadAllBytes(file);
        var content = Unpickle(file, bytes, classes);
        var key = classes == 10 ? "label_names" : "fine_label_names";
        return content.GetValueOrDefault(key) is List<object?> names
            ? [.. names.Select(name => Pickle.TextOf(bytes, name) ?? throw Bad(file, classes, $"'{key}' holds what is no text"))]
            : throw Bad(file, classes, $"it has no list '{key}'");
    }

    private static Dictionary<object, object?> Unpickle(string file, byte[] bytes, int classes)
    {
        try
        {
            return Pickle.Read(bytes) as Dictionary<object, object?> ?? throw new InvalidDataException("it holds no dictionary");
        }
        catch (InvalidDataException e)
        {
            throw Bad(file, classes, e.Message);
        }
    }

    private static BadInputException Bad(string file, int classes, string what) =>
        new(
            $"{file} is not whole as the Python version of CIFAR-{classes} (a pickle): {what}; fetch it again, or the binary version "
                + $"({(classes == 10 ? "cifar-10-binary.tar.gz, data_batch_1.bin" : "cifar-100-binary.tar.gz, train.bin")} ...)"
        );

    private static byte Checked(string file, int photo, long label, int classes) =>
        label >= 0 && label < classes
            ? (byte)label
            : throw new BadInputException(
                $"{file}: photo {photo} has label {label}, expected 0 to {classes - 1}; the file is damaged or not CIFAR-{classes}"
            );
}
