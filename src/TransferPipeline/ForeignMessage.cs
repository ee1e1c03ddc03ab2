namespace TransferPipeline;

/// <summary>Messages of other libraries, as parts of ours, which are one line.</summary>
internal static class ForeignMessage
{
    /// <summary>The first line alone; what follows is often a trace.</summary>
    public static string FirstLine(this Exception error) => error.Message.Split('\n', 2)[0].Trim();

    /// <summary>All lines as one.</summary>
    public static string OneLine(this Exception error) => error.Message.ReplaceLineEndings(" ").Trim();
}
