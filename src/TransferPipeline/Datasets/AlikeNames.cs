using System.Globalization;
using System.Text;

namespace TransferPipeline.Datasets;

/// <summary>
/// Names of classes and photos that differ only in case, Unicode form or spaces: each such pair is named before any work.
/// </summary>
internal static class AlikeNames
{
    private static readonly HashSet<string> MissingLabels = new(
        ["nan", "none", "null", "na", "n/a", "#n/a", "<na>", "nat", "nil", "undefined", "unlabeled", "unlabelled", "?", "-"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> Thumbnails = new(
        ["thumb", "thumbs", "thumbnail", "thumbnails"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> Pictures = new(
        [
            "image",
            "images",
            "imgs",
            "photos",
            "pictures",
            "jpegimages",
            "rgb",
            "mask",
            "masks",
            "segmentation",
            "segmentations",
            "segmentationclass",
            "segmentationclassaug",
            "segmentationobject",
            "annotations",
            "annotation",
            "labels",
            "groundtruth",
            "ground_truth",
            "gt",
            "depth",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Classes whose names are one name in two Unicode forms become one class, called by its shortest form.</summary>
    public static IReadOnlyList<(PhotoEntry Entry, int Item)> MergeClasses(
        IReadOnlyList<(PhotoEntry Entry, int Item)> photos,
        ProblemList problems
    )
    {
        // A name in ASCII has one Unicode form only, so that most datasets are not decomposed at all.
        var names = photos.Select(p => p.Entry.Label).Where(label => !Ascii.IsValid(label)).Distinct().ToArray();
        var merged = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var forms in names.GroupBy(UnicodeForms.Decompose).Where(g => g.Count() > 1))
        {
            // The shortest form is the composed one (NFC). The full order makes the
            // choice independent of which file was found first.
            var kept = forms.OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal).First();
            problems.Add(
                kept,
                "the class is written in two Unicode forms (a letter with its accent as one character or as two); they are taken as "
                    + "one class"
            );
            foreach (var form in forms)
                merged.Add(form, kept);
        }

        return merged.Count == 0
            ? photos
            : [.. photos.Select(p => (p.Entry with { Label = merged.GetValueOrDefault(p.Entry.Label, p.Entry.Label) }, p.Item))];
    }

    /// <summary>Notes classes whose names differ only in case, spaces or hyphens.</summary>
    public static void NoteClasses(string[] classes, ProblemList problems)
    {
        foreach (var alike in classes.GroupBy(UnicodeForms.Fold).Where(g => g.Count() > 1))
        {
            var names = alike.ToArray();
            problems.Add(
                names[0],
                "the name of the class differs from another only in case, spaces, hyphens or letters that look alike; they are taken as "
                    + "different classes",
                $": {string.Join(", ", names.Select(n => $"'{n}'"))}"
            );
        }
    }

    /// <summary>Notes classes whose folder is a file manager's copy of another's: dog - Copy beside dog.</summary>
    public static void NoteCopies(string[] classes, ProblemList problems)
    {
        foreach (
            var copy in classes.Where(name => CopiedNames.Original(name) is var original && original != name && classes.Contains(original))
        )
            problems.Add(
                copy,
                "by its name a copy of another class; they are taken as different classes",
                $": '{CopiedNames.Original(copy)}', '{copy}'"
            );
    }

    /// <summary>Notes classes that are one number written in several ways: a spreadsheet makes 1 of 01, and pandas 1.0 of 1.</summary>
    public static void NoteNumbers(string[] classes, ProblemList problems)
    {
        foreach (var same in classes.Where(name => NumberOf(name) is not null).GroupBy(NumberOf).Where(g => g.Count() > 1))
        {
            var names = same.ToArray();
            problems.Add(
                names[0],
                "the name of the class is the same number as another's, written otherwise; they are taken as different classes",
                $": {string.Join(", ", names.Select(n => $"'{n}'"))}"
            );
        }
    }

    /// <summary>Notes classes whose names show that they may be none: a missing label, folders of thumbnails or masks.</summary>
    public static void NoteDoubtful(string[] classes, ProblemList problems)
    {
        var pictures = classes.Where(Pictures.Contains).ToList();
        // One folder of images may be all that there is, and mask a class.
        if (pictures.Count > 1)
            problems.Add(
                string.Join(", ", pictures),
                "the classes are called as folders of photos, masks or annotations are in sets for detection and segmentation; such "
                    + "folders are no classes"
            );
        foreach (var name in classes.Where(name => name.Any(char.IsControl)))
            problems.Add(name, "the name of the class has a line break or another control character");
        // -1 marks a hidden label where all are numbers.
        var areNumbers = Array.TrueForAll(classes, name => int.TryParse(name, CultureInfo.InvariantCulture, out _));
        foreach (var name in classes)
        {
            if (MissingLabels.Contains(name.Trim()) || (areNumbers && name == "-1"))
                problems.Add(name, "the class is called as programs write a missing label; if these photos have none, take them out");
            else if (Thumbnails.Contains(name))
                problems.Add(name, "the class is called as folders of thumbnails are; if these are copies of the photos, take them out");
        }
    }

    /// <summary>Notes labels of which some are numbers and others names, as where files of two programs come together.</summary>
    public static void NoteMixture(IEnumerable<string> labels, ProblemList problems)
    {
        var classes = labels.Distinct().Order(StringComparer.Ordinal).ToList();
        var number = classes.Find(name => int.TryParse(name, CultureInfo.InvariantCulture, out _));
        // Of letters and digits, as in pictures of characters, each is a class.
        var word = classes.Find(name => name.Count(char.IsLetter) > 1);
        if (number is not null && word is not null)
            problems.Add(
                number,
                "some labels are numbers and others names; they are taken as different classes",
                $": '{number}', '{word}'"
            );
    }

    /// <summary>A whole number without zeros in front and without a fraction of zeros, or null.</summary>
    private static string? NumberOf(string name) =>
        WholeNumber.Of(name) is { Length: > 0 } number && number.All(char.IsAsciiDigit) ? number.TrimStart('0') : null;

    /// <summary>
    /// Notes how many photos have names that differ only in case or Unicode form: on other systems they would be one file.
    /// </summary>
    public static void NotePhotos(PhotoEntry[] entries, ProblemList problems)
    {
        // The value keeps the first name as it is written, since the message shows both.
        var seen = new Dictionary<string, string>(entries.Length, StringComparer.OrdinalIgnoreCase);
        var (count, first, second) = (0, "", "");
        foreach (var entry in entries)
        {
            var key = UnicodeForms.Decompose(entry.Path);
            if (seen.TryAdd(key, entry.Path))
                continue;
            if (count++ == 0)
                (first, second) = (seen[key], entry.Path);
        }

        if (count > 0)
            problems.Add(
                second,
                $"{count:N0} photos have names that differ from another's only in case or Unicode form (this one from '{first}'); "
                    + $"they are taken as different photos"
            );
    }
}
