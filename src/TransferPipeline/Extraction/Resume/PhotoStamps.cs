using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction.Resume;

/// <summary>
/// What the file system reported about each photo of a feature set when its SHA-256 was taken, in a file of the user's cache. A photo whose
/// stamp is the same still has that SHA-256; every other one is hashed. Inodes and change times hold on this machine alone, so the
/// file does not lie in the set, which travels; without it all photos are hashed once.
/// </summary>
internal sealed class PhotoStamps
{
    /// <summary>
    /// A photo that changed so shortly before it was read could change again within one tick of the file system's clock.
    /// </summary>
    private const long LeastAge = 2_000_000_000;

    private const int RecordBytes = 16,
        DigestBytes = 32;

    private readonly string _file;
    private readonly Dictionary<ulong, ulong> _stampOfPath = [];

    private PhotoStamps(string file) => _file = file;

    private static ReadOnlySpan<byte> Magic => "transfer stamps1"u8;

    /// <summary>The file that holds the stamps of a set.</summary>
    /// <param name="folder">The set's folder.</param>
    public static string FileOf(string folder)
    {
        var name = SHA256.HashData(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));
        return Path.Combine(UserCache.Folder("stamps"), Convert.ToHexStringLower(name.AsSpan(0, 16)) + ".bin");
    }

    /// <summary>The stamps of a set; none when there are none or they are damaged, and then all photos are hashed.</summary>
    public static PhotoStamps Read(string folder)
    {
        var stamps = new PhotoStamps(FileOf(folder));
        if (!File.Exists(stamps._file))
            return stamps;
        var bytes = File.ReadAllBytes(stamps._file);
        var records = bytes.AsSpan();
        if (
            bytes.Length < Magic.Length + DigestBytes
            || !records.StartsWith(Magic)
            // A damaged file could confirm a photo that has changed; without stamps photos are hashed, which is slow and never wrong.
            || !SHA256.HashData(records[..^DigestBytes]).AsSpan().SequenceEqual(records[^DigestBytes..])
        )
            return stamps;
        records = records[Magic.Length..^DigestBytes];
        stamps._stampOfPath.EnsureCapacity(records.Length / RecordBytes);
        for (var at = 0; at + RecordBytes <= records.Length; at += RecordBytes)
            stamps._stampOfPath[BinaryPrimitives.ReadUInt64LittleEndian(records[at..])] = BinaryPrimitives.ReadUInt64LittleEndian(
                records[(at + 8)..]
            );
        return stamps;
    }

    /// <summary>Whether the photo is still the one whose SHA-256 was taken.</summary>
    /// <param name="change">What the file system reports now of the file that holds it.</param>
    public bool Confirm(string path, PhotoStamp stamp, FileChange? change, string sha256)
    {
        if (change is not { } now)
            return false;
        var key = KeyOf(path);
        return _stampOfPath.TryGetValue(key, out var known) && known == StampOf(key, stamp, now, sha256);
    }

    /// <summary>Writes the stamps of the photos of the set, when they are not what was read.</summary>
    /// <param name="photos">Path, size and time, what the file system reported before the photo was read, and its SHA-256.</param>
    /// <param name="lookedAt">When the file system was read, in nanoseconds since 1970 UTC.</param>
    public void Write(IEnumerable<(string Path, PhotoStamp Stamp, FileChange? Change, string Sha256)> photos, long lookedAt)
    {
        var stamps = new Dictionary<ulong, ulong>();
        foreach (var (path, stamp, change, sha256) in photos)
        {
            // A photo younger than a tick of the clock is hashed again in the next run, and has a stamp after that.
            if (change is not { } known || known.Time >= lookedAt - LeastAge)
                continue;
            var key = KeyOf(path);
            stamps[key] = StampOf(key, stamp, known, sha256);
        }

        if (stamps.Count == _stampOfPath.Count && stamps.All(s => _stampOfPath.TryGetValue(s.Key, out var old) && old == s.Value))
            return;
        var bytes = new byte[Magic.Length + stamps.Count * RecordBytes + DigestBytes];
        Magic.CopyTo(bytes);
        var at = Magic.Length;
        // In the order of keys: the same photos give the same bytes.
        foreach (var (key, stamp) in stamps.OrderBy(s => s.Key))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), key);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 8), stamp);
            at += RecordBytes;
        }

        SHA256.HashData(bytes.AsSpan(0, at), bytes.AsSpan(at));
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        DurableFile.Write(_file, temporary => File.WriteAllBytes(temporary, bytes));
    }

    private static ulong KeyOf(string path)
    {
        // FNV-1a over the UTF-16 text, then mixed; two paths of one key only cost a reading of both.
        var hash = 0xCBF29CE484222325;
        foreach (var c in path)
            hash = (hash ^ c) * 0x100000001B3;
        return Mix(hash);
    }

    private static ulong StampOf(ulong key, PhotoStamp stamp, FileChange change, string sha256)
    {
        var hash = key;
        foreach (var value in (ReadOnlySpan<ulong>)[(ulong)stamp.Bytes, (ulong)stamp.Mtime, change.Number, (ulong)change.Time])
            hash = Mix(hash ^ value);
        foreach (var c in sha256)
            hash = (hash ^ c) * 0x100000001B3;
        return Mix(hash);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
