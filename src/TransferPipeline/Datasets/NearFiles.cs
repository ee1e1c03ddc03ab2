namespace TransferPipeline.Datasets;

/// <summary>
/// Files that are nearly the one a table names: another extension, folder, Unicode form or number of zeros. A folder is
/// listed once, however many files are missing in it.
/// </summary>
internal sealed class NearFiles(string folder)
{
    private readonly Dictionary<string, Listing> _listings = new(StringComparer.Ordinal);

    /// <summary>Spreadsheets turn 000.jpg's 000 into 0, and pandas into 0.0: the photo would be lost, or another be taken for it.</summary>
    public void RefuseLostZeros(TableLine line)
    {
        var stem = Path.GetFileNameWithoutExtension(line.Path);
        if (stem.EndsWith(".0", StringComparison.Ordinal))
            stem = stem[..^2];
        var number = line.Name.EndsWith(".0", StringComparison.Ordinal) ? line.Name[..^2] : stem;
        if (
            number.Length is 0 or > 12
            || !number.All(char.IsAsciiDigit)
            || !ListingOf(line.Path).Numbers.TryGetValue(number.TrimStart('0'), out var found)
        )
            return;
        // Longer, and equal without the zeros in front: 7 is found as 007 and never as 17.
        if (Path.GetFileNameWithoutExtension(found).Length > number.Length)
        {
            throw new BadInputException(
                $"{line.Where}: '{line.Name}' is named and '{found}' is there: the zeros in front were lost, as spreadsheets do; "
                    + $"write the names as text, with their zeros"
            );
        }
    }

    /// <summary>
    /// For a file that is missing: a link that leads nowhere, or one whose name differs only in case or Unicode form; empty where there is
    /// none.
    /// </summary>
    public string OtherForm(string path) =>
        new FileInfo(Path.Combine(folder, path)).LinkTarget is { } target ? $" (a symbolic link leads to '{target}', which is not there)"
        : ListingOf(path).Forms.TryGetValue(UnicodeForms.Decompose(Path.GetFileName(path)), out var found)
            ? $" (its name is there in another Unicode form or case: {found})"
        : "";

    /// <summary>The first photo with another extension or in a folder inside, and what to set; null when there is none.</summary>
    /// <param name="extension">What is appended to the names of the table.</param>
    public static string? Similar(string folder, string name, string extension)
    {
        var anyCase = new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive };
        var stem = extension.Length > 0 || PhotoFiles.IsPhoto(name) ? Path.ChangeExtension(name, null) : name;
        string[] places = [folder, .. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        foreach (var place in places.Where(p => Directory.Exists(Path.GetDirectoryName(Path.Combine(p, stem)))))
        {
            var inside = Path.GetDirectoryName(Path.Combine(place, stem))!;
            if (
                Directory.EnumerateFiles(inside, Path.GetFileName(stem) + ".*", anyCase).FirstOrDefault(f => PhotoFiles.IsPhoto(f))
                is not { } found
            )
                continue;
            var cures = new List<string>();
            if (place != folder)
                cures.Add($"the folder to '{place}'");
            // An extension that stands in the table cannot be replaced, only one that is added to its names.
            if (name == stem || (extension.Length > 0 && !found.EndsWith(name[stem.Length..], StringComparison.Ordinal)))
                cures.Add($"the extension to '{Path.GetExtension(found)}'");
            return $" ('{Path.GetRelativePath(folder, found)}' is{(cures.Count > 0 ? $": set {string.Join(" and ", cures)}" : "")})";
        }

        return null;
    }

    private Listing ListingOf(string path)
    {
        var inside = Path.GetDirectoryName(Path.Combine(folder, path)) ?? folder;
        if (!_listings.TryGetValue(inside, out var listing))
            _listings[inside] = listing = Listing.Of(inside);
        return listing;
    }

    /// <param name="Numbers">Photos called by a number, the one with most zeros in front, by the number without them.</param>
    /// <param name="Forms">All files by their decomposed names, whatever the case.</param>
    private sealed record Listing(Dictionary<string, string> Numbers, Dictionary<string, string> Forms)
    {
        public static Listing Of(string folder)
        {
            var listing = new Listing(new(StringComparer.Ordinal), new(StringComparer.OrdinalIgnoreCase));
            var names = Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Select(Path.GetFileName).OfType<string>() : [];
            // In ordinal order, since the file system's differs between machines.
            foreach (var name in names.Order(StringComparer.Ordinal))
            {
                listing.Forms.TryAdd(UnicodeForms.Decompose(name), name);
                var stem = Path.GetFileNameWithoutExtension(name);
                if (!PhotoFiles.IsPhoto(name) || !stem.All(char.IsAsciiDigit))
                    continue;
                var number = stem.TrimStart('0');
                if (!listing.Numbers.TryGetValue(number, out var other) || Path.GetFileNameWithoutExtension(other).Length < stem.Length)
                    listing.Numbers[number] = name;
            }

            return listing;
        }
    }
}
