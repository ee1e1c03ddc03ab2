namespace TransferPipeline.Features;

/// <summary>What a check of a feature set found.</summary>
/// <param name="Problems">One line each; empty when all is well.</param>
public sealed record FeatureSetCheck(int Parts, long Rows, long Bytes, IReadOnlyList<string> Problems);

public sealed partial class FeatureSet
{
    /// <summary>Compares every file with the manifest (length, SHA-256, rows) and looks for values that are no finite numbers.</summary>
    public FeatureSetCheck Verify()
    {
        var problems = new List<string>();
        var classes = ClassIndices();
        foreach (var part in Manifest.Parts)
        {
            if (FileProblem(part) is { } problem)
                problems.Add(problem);
            else
                CheckValues(part, classes, problems);
        }

        // The order of all parts is parsed here, which throws where the manifest is damaged.
        // After the parts, which show whether their numbers of rows are right.
        _ = Ranks;

        if (Manifest.Failed is { } failed && FileProblem(failed) is { } failedProblem)
            problems.Add(failedProblem);
        if (!Manifest.Complete)
            problems.Add($"the extraction was interrupted: {Manifest.Rows} vectors are there; run it again to complete them");
        return new(Manifest.Parts.Count, Manifest.Rows, Manifest.Parts.Sum(p => p.Bytes), problems);
    }

    /// <exception cref="BadInputException">A part is not what the manifest states.</exception>
    internal void RequireIntact()
    {
        var problems = new string?[Manifest.Parts.Count];
        // One part per block: the SHA-256 of a file cannot be divided among threads.
        Blocks.For(
            problems.Length,
            1,
            Environment.ProcessorCount,
            (_, first, end) =>
            {
                for (var i = first; i < end; i++)
                    problems[i] = FileProblem(Manifest.Parts[i]);
            }
        );
        var damaged = Array.FindIndex(problems, p => p is not null);
        if (damaged < 0)
        {
            foreach (var part in Manifest.Parts)
                RequireShape(part);
            return;
        }

        // Extraction sees a missing file and a wrong length; it does not read the vectors of unchanged photos.
        var cure = File.Exists(Path.Combine(Folder, Manifest.Parts[damaged].File)) ? "delete that file and extract again" : "extract again";
        throw new BadInputException($"{Folder}: {problems[damaged]}; {cure}");
    }

    /// <summary>What is wrong with one file, or null.</summary>
    internal string? FileProblem(FeatureFile part)
    {
        var file = new FileInfo(Path.Combine(Folder, part.File));
        if (!file.Exists)
            return $"{part.File} is missing";
        // The length costs nothing and finds a file that was cut short without hashing it.
        if (file.Length != part.Bytes)
            return $"{part.File} has {file.Length} bytes, the manifest says {part.Bytes}";
        return InputFile.Read(file.FullName, () => DurableFile.Hash(file.FullName)).Sha256 == part.Sha256
            ? null
            : $"{part.File} is damaged: its SHA-256 is not the one in the manifest";
    }

    /// <summary>Compares the manifest's numbers with the part's, before memory is allocated by them.</summary>
    /// <exception cref="BadInputException">The part has another number of vectors, or of values.</exception>
    internal void RequireShape(FeaturePart part)
    {
        if (_table.Shape(Existing(part)) is not var (rows, values) || (rows == part.Rows && values == rows * Dimension))
            return;
        throw new BadInputException(
            $"{Path.Combine(Folder, FeatureManifest.FileName)} does not fit {part.File}: it says {part.Rows} vectors of {Dimension} "
                + $"values, the part has {rows} vectors and {values} values in all; delete the folder and extract again"
        );
    }

    private void CheckValues(FeaturePart part, Dictionary<string, int> classes, List<string> problems)
    {
        RequireShape(part);
        var rows = ReadRows(part);
        foreach (var row in rows)
            RequireKnown(classes, row.Label, row.Split, row.Path);
        var vectors = ReadVectors(part);
        for (var i = 0; i < rows.Count; i++)
        {
            foreach (var value in vectors.Row(i))
            {
                if (float.IsFinite(value))
                    continue;
                problems.Add($"{part.File}: the vector of {rows[i].Path} holds {value}");
                break;
            }
        }
    }
}
