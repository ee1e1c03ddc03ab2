namespace TransferPipeline;

/// <summary>Names in a message.</summary>
internal static class FewNames
{
    /// <summary>The first of the names, with <c>, ...</c> behind them where there are more.</summary>
    /// <param name="most">Names at most.</param>
    public static string Of(IReadOnlyCollection<string> names, int most = 5) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? ", ..." : "");
}
