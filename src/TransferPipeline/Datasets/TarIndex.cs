using System.Formats.Tar;

namespace TransferPipeline.Datasets;

/// <param name="Name">From the archive's root, with '/'.</param>
/// <param name="Offset">Of its content in the archive, bytes.</param>
/// <param name="Mtime">Last write, nanoseconds since 1970 UTC.</param>
internal sealed record TarMember(string Name, long Offset, long Bytes, long Mtime);

/// <summary>The members of one tar file, found without reading their content.</summary>
internal sealed record TarIndex(List<TarMember> Members, SortedSet<string> Folders)
{
    /// <param name="source">What messages call the archive.</param>
    /// <exception cref="BadInputException">A member leads out of the archive, is sparse or has a name that is not UTF-8.</exception>
    /// <exception cref="InvalidDataException">A header is damaged.</exception>
    /// <exception cref="EndOfStreamException">A member goes on past the end.</exception>
    public static TarIndex Read(string source, FileStream archive, ProblemList problems)
    {
        var index = new TarIndex([], new SortedSet<string>(StringComparer.Ordinal));
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        // What gzip unpacks to when it was cut behind its own header.
        if (archive.Length == 0)
            throw new EndOfStreamException("nothing is in it");
        archive.Position = 0;
        var headers = new TarHeaders(source, archive.SafeFileHandle, archive.Length);
        using var reader = new TarReader(archive, leaveOpen: true);
        long start;
        // Behind a member TarReader stands at the next one.
        while (headers.Check(start = archive.Position))
        {
            var entry = Next(source, reader) ?? throw new InvalidDataException($"the header at byte {start:N0} is damaged");
            // Before the member is listed: a file that was cut short must fail at once and not at its last photo. Not
            // as a sum, which a damaged length would make negative.
            if (entry.Length > 0 && entry.Length > archive.Length - entry.DataOffset)
                throw new EndOfStreamException($"'{entry.Name}' goes on past the end");
            // A pax header for all members is no member; git archive writes one.
            if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
                continue;
            var name = Inside(source, entry.Name);
            if (name.Length == 0 && entry.EntryType is not TarEntryType.Directory)
            {
                problems.Add(Path.GetFileName(source), "a member without a name is left out", $" (at byte {start:N0})");
            }
            else if (entry.EntryType is TarEntryType.Directory)
            {
                index.AddFolders(name + "/");
            }
            else if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile)
            {
                index.Add(
                    new TarMember(name, entry.DataOffset, entry.Length, PhotoFiles.Nanoseconds(entry.ModificationTime)),
                    places,
                    problems
                );
            }
            else if (entry.EntryType is TarEntryType.HardLink && places.TryGetValue(Inside(source, entry.LinkName), out var target))
            {
                // The same file under a second name, as it is in the folder that was packed.
                index.Add(index.Members[target] with { Name = name }, places, problems);
            }
            else
            {
                problems.Add(name, "ignored: a link or special file in the archive");
            }
        }

        if (start > archive.Length)
            throw new EndOfStreamException("it ends within the padding of its last member");
        if (archive.Length < start + 2 * TarHeaders.BlockBytes)
            problems.Add(
                Path.GetFileName(source),
                "the archive has no end mark (two blocks of zeros): it may have been cut short, and then photos are missing; compare its "
                    + "length with the original's"
            );
        NoteTail(source, archive, problems);
        index.Folders.Remove("");
        return index;
    }

    private static TarEntry? Next(string source, TarReader reader)
    {
        TarEntry? entry;
        try
        {
            entry = reader.GetNextEntry();
        }
        catch (NotSupportedException e)
        {
            throw new BadInputException(
                $"{source} holds members in a form that is not read ({e.Message.ReplaceLineEndings(" ")}), such as sparse files; pack "
                    + $"the photos again without --sparse",
                e
            );
        }
        // All are what TarReader throws at numbers in headers that are too large or of no sense.
        catch (Exception e) when (e is ArgumentException or OverflowException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException(e.Message.ReplaceLineEndings(" "), e);
        }

        // Pax states in attributes alone that a file is sparse: its type is that of a regular file,
        // but its bytes in the archive are not those of the file.
        return entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(key => key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
            ? throw new BadInputException(
                $"{source} holds '{pax.ExtendedAttributes.GetValueOrDefault("GNU.sparse.name", entry.Name)}' as a sparse file, which "
                    + $"is not read; pack the photos again without --sparse"
            )
            : entry;
    }

    private void Add(TarMember member, Dictionary<string, int> places, ProblemList problems)
    {
        // Archives need not have entries for their folders.
        AddFolders(member.Name);
        if (places.TryAdd(member.Name, Members.Count))
        {
            Members.Add(member);
            return;
        }

        // As tar itself does.
        Members[places[member.Name]] = member;
        problems.Add(member.Name, "twice in the archive; the later one is taken");
    }

    private void AddFolders(string name)
    {
        for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
            Folders.Add(name[..slash]);
    }

    /// <summary>
    /// A member's name without <c>./</c>; a name that leads out of the archive is not accepted, though nothing is ever unpacked by it.
    /// </summary>
    private static string Inside(string source, string name)
    {
        var parts = name.Split('/').Where(part => part is not ("" or ".")).ToList();
        if (name.StartsWith('/') || parts.Contains(".."))
            throw new BadInputException(
                $"{source} has a member '{name}' that leads out of the archive; expected paths below class folders: do not trust this file"
            );
        return string.Join('/', parts);
    }

    /// <summary>After the two empty blocks that end an archive there should be padding only; another archive there is not read.</summary>
    private static void NoteTail(string source, FileStream archive, ProblemList problems)
    {
        var block = new byte[TarHeaders.BlockBytes];
        var start = archive.Position / TarHeaders.BlockBytes * TarHeaders.BlockBytes;
        archive.Position = start;
        while (archive.ReadAtLeast(block, TarHeaders.BlockBytes, throwOnEndOfStream: false) is > 0 and var read)
        {
            if (block.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                var isArchive = FileSignatures.IsTar(block);
                problems.Add(
                    Path.GetFileName(source),
                    isArchive
                        ? "another archive follows the first one in the file and is not read; unpack all with tar -i and pack again"
                        : "other bytes follow the archive in the file and are not read",
                    $" (at byte {start:N0})"
                );
                return;
            }

            start += read;
        }
    }
}
