namespace TransferPipeline.Datasets;

/// <summary>Labels that hold several, of which each combination would be a class of its own: one line before any work.</summary>
internal static class CombinedLabels
{
    // Words of one name stand between these too, so that more has to show that they divide labels.
    private static readonly char[] Usual = [' ', ',', '+', '&', '/'];

    public static void Note(string[] classes, ProblemList problems)
    {
        if (Array.Find(classes, name => name is ['[', .., ']'] or ['{', .., '}']) is { } list)
            problems.Add(list, "the label is written as a list; each list is taken as one class, expected one label per photo");
        foreach (var separator in (char[])['|', ';'])
        {
            var shared = classes.SelectMany(name => name.Split(separator).Distinct()).GroupBy(part => part.Trim()).Any(g => g.Count() > 1);
            if (shared && Array.Find(classes, name => name.Contains(separator, StringComparison.Ordinal)) is { } first)
                Add(first, separator, problems);
        }

        var all = classes.ToHashSet(StringComparer.Ordinal);
        foreach (var separator in Usual)
        {
            var several = classes
                .Select(name =>
                    (Name: name, Parts: name.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                )
                .Where(c => c.Parts.Length > 1)
                .ToList();
            // scab rust beside scab and rust; else many names of few words.
            var combined = several.Find(c => Array.TrueForAll(c.Parts, all.Contains));
            if (combined.Name is null && several.Count > 2 * several.SelectMany(c => c.Parts).Distinct().Count())
                combined = several[0];
            if (combined.Name is { } name)
                Add(name, separator, problems);
        }
    }

    private static void Add(string name, char separator, ProblemList problems) =>
        problems.Add(
            name,
            $"the class looks like several labels with '{separator}' between them; each combination is taken as one class, expected one "
                + "label per photo"
        );
}
