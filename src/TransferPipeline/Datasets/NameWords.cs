namespace TransferPipeline.Datasets;

/// <summary>The words of a file's name.</summary>
internal static class NameWords
{
    /// <summary>What is left of a name between digits and punctuation: images_variant_train, train1, train2018.</summary>
    public static IEnumerable<string> Of(string name)
    {
        for (var (start, end) = (0, 0); end <= name.Length; end++)
        {
            if (end < name.Length && char.IsLetter(name[end]))
                continue;
            if (end > start)
                yield return name[start..end];
            start = end + 1;
        }
    }
}
