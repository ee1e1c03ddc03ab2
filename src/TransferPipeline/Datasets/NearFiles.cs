namespace TransferPipeline.Datasets;

/// <summary>Files that are nearly the one a table names: another extension, folder, Unicode form or number of zeros.</summary>
internal static class NearFiles
{
    /// <summary>Spreadsheets turn 000.jpg's 000 into 0, and pandas into 0.0: the photo would be lost, or another be taken for it.</summary>
    public static void RefuseLostZeros(string folder, TableLine line)
    {
        var stem = Path.GetFileNameWithoutExtension(line.Path);
        if (stem.EndsWith(".0", StringComparison.Ordinal))
            stem = stem[..^2];
        var number = line.Name.EndsWith(".0", StringComparison.Ordinal) ? line.Name[..^2] : stem;
        if (
            number.Length is 0 or > 12
            || !number.All(char.IsAsciiDigit)
            || Path.GetDirectoryName(Path.Combine(folder, line.Path)) is not { } inside
            || !Directory.Exists(inside)
        )
            return;
        if (
            Directory
                .EnumerateFiles(inside, "*" + number + ".*")
                .Select(Path.GetFileName)
                .FirstOrDefault(f => PhotoFiles.IsPhoto(f) && IsSameNumber(Path.GetFileNameWithoutExtension(f!), number)) is
            { } found
        )
        {
            throw new BadInputException(
                $"{line.Where}: '{line.Name}' is named and '{found}' is there: the zeros in front were lost, as spreadsheets do; "
                    + $"write the names as text, with their zeros"
            );
        }
    }

    /// <summary>For a file that is missing: one whose name differs only in case or Unicode form; empty where there is none.</summary>
    public static string OtherForm(string folder, string path)
    {
        var inside = Path.GetDirectoryName(Path.Combine(folder, path))!;
        var folded = UnicodeForms.Decompose(Path.GetFileName(path));
        // A long list of missing files must not list a large folder for each.
        if (!Directory.Exists(inside) || (folded.Length == Path.GetFileName(path).Length && System.Text.Ascii.IsValid(folded)))
            return "";
        var found = Directory
            .EnumerateFiles(inside)
            .Select(f => Path.GetFileName(f))
            .FirstOrDefault(f => UnicodeForms.Decompose(f).Equals(folded, StringComparison.OrdinalIgnoreCase));
        return found is null ? "" : $" (its name is there in another Unicode form or case: {found})";
    }

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

    // Longer, and equal without the zeros in front: 7 is found as 007 and never as 17.
    private static bool IsSameNumber(string stem, string number) =>
        stem.Length > number.Length && stem.All(char.IsAsciiDigit) && stem.TrimStart('0') == number.TrimStart('0');
}
