namespace TransferPipeline.Features;

/// <summary>Work on several feature sets.</summary>
public static partial class FeatureSets
{
    /// <summary>The folder in which a recipe's set belongs: the one asked for, or, when that holds a set of another recipe, one beside it.</summary>
    /// <returns>The folder, and in what the set in the folder asked for differs.</returns>
    internal static (string Folder, IReadOnlyList<RecipeDifference> Differences) Locate(string folder, Recipe recipe, bool newSetBeside, Action<string> message)
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

    /// <summary>The folder beside <paramref name="folder"/> for a set of another recipe: its name, a dash and the first 8 digits of the recipe's hash.</summary>
    public static string Beside(string folder, Recipe recipe) =>
        $"{Path.TrimEndingDirectorySeparator(folder)}-{recipe.Hash()[..8]}";

    internal static BadInputException OtherRecipe(string folder, RecipeDifference difference) =>
        new($"{folder} was made with another recipe: {difference}; extract into another folder with --out");
}
