namespace TransferPipeline.Datasets;

/// <summary>Canonical split names; readers map the common spellings (val, valid, dev, training, testing) to these.</summary>
public static class Splits
{
    /// <summary>Photos that heads are trained on.</summary>
    public const string Train = "train";

    /// <summary>Photos that heads are evaluated on by default.</summary>
    public const string Validation = "validation";

    /// <summary>Photos for a last evaluation.</summary>
    public const string Test = "test";
}

/// <summary>One photo of a dataset.</summary>
/// <param name="Path">Path from the dataset's root with '/' separators, or the member's name in an archive; unique, the row's key.</param>
/// <param name="Label">Class name.</param>
/// <param name="Split">One of <see cref="Splits"/>.</param>
public sealed record PhotoEntry(string Path, string Label, string Split);

/// <summary>What the file system reports about a photo without reading it.</summary>
/// <param name="Bytes">Length of the encoded photo in bytes.</param>
/// <param name="Mtime">Last write in nanoseconds since 1970 UTC; 0 when unknown (then only the hash decides on reuse).</param>
public readonly record struct PhotoStamp(long Bytes, long Mtime);

/// <summary>Something wrong with a dataset that does not stop it from being used.</summary>
public sealed record DatasetProblem(string Path, string Problem)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => Path.Length == 0 ? Problem : $"{Path}: {Problem}";
}

/// <summary>
/// An ordered list of labelled photos and a way to read their encoded bytes. Entries are in a fixed order (that of torchvision's
/// ImageFolder: class by class in ordinal order, files in ordinal order). Reading is thread-safe.
/// </summary>
public abstract class Dataset : IDisposable
{
    /// <summary>The folder or file as the user gave it.</summary>
    public abstract string Source { get; }

    /// <summary>How it was opened; null when not by <see cref="DatasetReader"/>.</summary>
    public DatasetOptions? Options { get; internal set; }

    /// <summary>Class names in ordinal order; a label's index in this list is its class index.</summary>
    public abstract IReadOnlyList<string> Classes { get; }

    /// <summary>The form of the data that was recognized, in words for people.</summary>
    public virtual string Form { get; init; } = "";

    /// <summary>The photos, in the fixed order.</summary>
    public abstract IReadOnlyList<PhotoEntry> Entries { get; }

    /// <summary>What was left out or looks wrong; empty when all is well.</summary>
    public virtual IReadOnlyList<DatasetProblem> Problems => [];

    /// <summary>Size and time of the photo <paramref name="index"/>, without reading it.</summary>
    public abstract PhotoStamp Stamp(int index);

    /// <summary>
    /// The file that holds photo <paramref name="index"/>, alone or with others; null where there is none, and then each run hashes the
    /// photo.
    /// </summary>
    public virtual string? FileOf(int index) => null;

    /// <summary>
    /// Reads the encoded bytes of photo <paramref name="index"/> into <paramref name="buffer"/>, growing it when it is too small.
    /// </summary>
    /// <returns>The number of bytes read.</returns>
    /// <exception cref="IOException">The photo cannot be read; the extractor records it as failed.</exception>
    public abstract int Read(int index, ref byte[] buffer);

    /// <summary>Closes the files that the dataset reads from.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
