namespace TransferPipeline.Pipelines;

/// <summary>Names the place in a pipeline file of a value that turned out to be wrong where it was used.</summary>
internal static class Blame
{
    /// <exception cref="BadInputException">What was wrong, behind its place.</exception>
    public static T On<T>(string where, Func<T> use)
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

    public static void On(string where, Action use) =>
        On<object?>(
            where,
            () =>
            {
                use();
                return null;
            }
        );
}
