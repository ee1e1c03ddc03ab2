namespace TransferPipeline.Features;

/// <summary>Work on several feature sets.</summary>
internal static partial class FeatureSets
{
    /// <summary>Digits of a recipe's hash in the name of a folder.</summary>
    private const int HashDigits = 8;

    /// <summary>
    /// The folder in which a recipe's set belongs: the requested one, or, when that holds a set of another recipe, one beside it.
    /// </summary>
    /// <returns>The folder, and in what the set in the requested folder differs.</returns>
    internal static (string Folder, IReadOnlyList<RecipeDifference> Differences) Locate(
        string folder,
        Recipe recipe,
        bool newSetBeside,
        Action<string> message
    )
    {
        if (File.Exists(folder))
            throw new BadInputException($"{folder} is a file, expected a folder for the feature set");
        if (!Directory.Exists(folder) || FeatureManifest.Read(folder) is not { } manifest)
            return (folder, []);
        var differences = manifest.Recipe.Differences(recipe);
        if (differences.Count == 0)
            return (folder, []);
        if (!newSetBeside)
            throw OtherRecipe(folder, differences[0]);
        var beside = Beside(folder, recipe);
        message($"{folder} was made with another recipe ({string.Join("; ", differences)}): the new set is {beside}");
        return (beside, differences);
    }

    /// <summary>
    /// The folder beside <paramref name="folder"/> for a set of another recipe: its name, a dash and the first 8 digits of the recipe's
    /// hash.
    /// Where an earlier program, which hashed the decoder's libraries, made a set of the same recipe, it is that one.
    /// </summary>
    public static string Beside(string folder, Recipe recipe)
    {
        folder = Path.TrimEndingDirectorySeparator(folder);
        // These have no name to which a dash could be added: the set would be a hidden folder inside the other one.
        if (Path.GetFileName(folder) is "." or "..")
            folder = Path.GetFullPath(folder);
        var beside = $"{folder}-{recipe.Hash()[..HashDigits]}";
        return Directory.Exists(beside) ? beside : Earlier(folder, recipe) ?? beside;
    }

    private static string? Earlier(string folder, Recipe recipe)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(folder));
        if (!Directory.Exists(parent))
            return null;
        var name = Path.GetFileName(folder) + "-";
        return Directory
            .EnumerateDirectories(parent)
            // Names are compared first: only a folder that is called so has its manifest read.
            .Where(d =>
                Path.GetFileName(d) is var found
                && found.Length == name.Length + HashDigits
                && found.StartsWith(name, StringComparison.Ordinal)
            )
            .Where(d => Manifest(d)?.Recipe.Differences(recipe).Count == 0)
            .Order(StringComparer.Ordinal)
            // The folder keeps the form in which the user gave it, relative or absolute.
            .Select(d => Path.Combine(Path.GetDirectoryName(folder) ?? "", Path.GetFileName(d)))
            .FirstOrDefault();

        static FeatureManifest? Manifest(string beside)
        {
            try
            {
                return FeatureManifest.Read(beside);
            }
            catch (BadInputException)
            {
                // Whatever is wrong with a set that nobody requested is reported when it is opened.
                return null;
            }
        }
    }

    internal static BadInputException OtherRecipe(string folder, RecipeDifference difference) =>
        new($"{folder} was made with another recipe: {difference}; extract into another folder with --out");
}
