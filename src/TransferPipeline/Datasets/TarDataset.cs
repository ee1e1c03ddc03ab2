using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>
/// Photos inside a tar file of class folders. The archive is indexed once; photos are then read at their offsets. A compressed one is
/// first unpacked into a temporary file that vanishes with the dataset, since gzip cannot be read from the middle.
/// </summary>
internal sealed class TarDataset : Dataset
{
    private readonly SafeFileHandle _archive;
    private readonly Arranged _arranged;
    private readonly List<Member> _members;

    private TarDataset(string source, SafeFileHandle archive, Arranged arranged, List<Member> members, IReadOnlyList<DatasetProblem> problems) =>
        (Source, _archive, _arranged, _members, Problems) = (source, archive, arranged, members, problems);

    public override string Source { get; }

    public override IReadOnlyList<string> Classes => _arranged.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => _arranged.Entries;

    public override IReadOnlyList<DatasetProblem> Problems { get; }

    public static TarDataset Open(DatasetOptions options)
    {
        FileStream? archive = null;
        try
        {
            archive = File.OpenRead(options.Path);
            if (IsGzip(archive))
                archive = Unpack(archive);
            var problems = new ProblemList();
            var members = new List<Member>();
            var found = WithoutWrapper(Index(options.Path, archive, members, problems));
            var arranged = ClassFolders.Arrange(options.Path, found, options, problems);
            return new TarDataset(options.Path, archive.SafeFileHandle, arranged, members, problems.ToList());
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            archive?.Dispose();
            throw new BadInputException($"{options.Path} is not a whole tar file ({e.Message}); it is damaged or was cut short, fetch it again", e);
        }
        catch (Exception e)
        {
            archive?.Dispose();
            if (e is UnauthorizedAccessException)
                throw new BadInputException($"{options.Path} cannot be read: {e.Message}", e);
            throw;
        }
    }

    public override PhotoStamp Stamp(int index)
    {
        var member = _members[_arranged.Items[index]];
        return new PhotoStamp(member.Bytes, member.Mtime);
    }

    public override int Read(int index, ref byte[] buffer)
    {
        var member = _members[_arranged.Items[index]];
        return FileBytes.Read(_archive, member.Offset, member.Bytes, Entries[index].Path, ref buffer);
    }

    public override void Dispose()
    {
        _archive.Dispose();
        base.Dispose();
    }

    private static FoundFiles Index(string source, FileStream archive, List<Member> members, ProblemList problems)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        archive.Position = 0;
        using var reader = new TarReader(archive, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
                continue;
            var name = Inside(source, entry.Name);
            if (entry.EntryType is TarEntryType.Directory)
            {
                AddFolders(folders, name + "/");
            }
            else if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile)
            {
                AddFolders(folders, name);
                if (entry.DataOffset + entry.Length > archive.Length)
                    throw new EndOfStreamException($"'{name}' goes on past the end");
                var member = new Member(name, entry.DataOffset, entry.Length, PhotoFiles.Nanoseconds(entry.ModificationTime));
                if (places.TryAdd(name, members.Count))
                {
                    members.Add(member);
                    continue;
                }

                // As tar itself does.
                members[places[name]] = member;
                problems.Add(name, "twice in the archive; the later one is taken");
            }
            else
            {
                problems.Add(name, "ignored: a link or special file in the archive");
            }
        }

        return new FoundFiles([.. members.Select(m => new FoundFile(m.Name, m.Bytes, m.Mtime))], [.. folders.Where(f => f.Length > 0)]);
    }

    private static void AddFolders(SortedSet<string> folders, string name)
    {
        for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
            folders.Add(name[..slash]);
    }

    /// <summary>A member's name without <c>./</c>; a name that leads out of the archive is not accepted, though nothing is ever unpacked by it.</summary>
    private static string Inside(string source, string name)
    {
        var parts = name.Split('/').Where(part => part is not ("" or ".")).ToList();
        if (name.StartsWith('/') || parts.Contains(".."))
            throw new BadInputException($"{source} has a member '{name}' that leads out of the archive; expected paths below class folders: do not trust this file");
        return string.Join('/', parts);
    }

    /// <summary>Archives often hold one folder around everything: that one is no class when all the photos lie deeper.</summary>
    private static FoundFiles WithoutWrapper(FoundFiles found)
    {
        var top = found.Folders.Where(folder => !folder.Contains('/')).ToList();
        var prefix = top.Count == 1 ? top[0] + "/" : "";
        if (prefix.Length == 0 || found.Files.Exists(f => PhotoFiles.IsPhoto(f.Path) && !f.Path[(f.Path.StartsWith(prefix, StringComparison.Ordinal) ? prefix.Length : 0)..].Contains('/')))
            return found;
        return new FoundFiles(
            [.. found.Files.Select(f => f.Path.StartsWith(prefix, StringComparison.Ordinal) ? f with { Path = f.Path[prefix.Length..] } : f)],
            [.. found.Folders.Where(f => f.StartsWith(prefix, StringComparison.Ordinal)).Select(f => f[prefix.Length..])]);
    }

    private static bool IsGzip(FileStream file)
    {
        var isGzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return isGzip;
    }

    private static FileStream Unpack(FileStream packed)
    {
        var unpacked = new FileStream(
            Path.Combine(Path.GetTempPath(), $"transfer-{Guid.NewGuid():N}.tar"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        try
        {
            using (packed)
            using (var gzip = new GZipStream(packed, CompressionMode.Decompress))
                gzip.CopyTo(unpacked, 1 << 20);
            unpacked.Flush();
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }

    private sealed record Member(string Name, long Offset, long Bytes, long Mtime);
}
