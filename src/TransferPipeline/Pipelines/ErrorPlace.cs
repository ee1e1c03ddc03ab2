namespace TransferPipeline.Pipelines;

/// <summary>The place in a pipeline file of a value, for errors that are found where the value is used.</summary>
internal static class ErrorPlace
{
    /// <summary>Puts the place before the error of what uses the value.</summary>
    /// <param name="where">File, line and key.</param>
    /// <exception cref="BadInputException">What was wrong, behind its place.</exception>
    public static T Add<T>(string where, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is UsageException or BadInputException)
        {
            throw new BadInputException($"{where}: {e.Message}", e);
        }
    }

    /// <inheritdoc cref="Add{T}"/>
    public static void Add(string where, Action use) =>
        Add<object?>(
            where,
            () =>
            {
                use();
                return null;
            }
        );
}
