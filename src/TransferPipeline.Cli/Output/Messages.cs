namespace TransferPipeline.Cli.Output;

/// <summary>Progress and messages go to stderr, one line each; results go to stdout.</summary>
internal static class Messages
{
    public static void Error(string message) => Console.Error.WriteLine($"transfer: {PlainText.Of(message)}");

    public static void Warning(string message) => Console.Error.WriteLine($"warning: {PlainText.Of(message)}");

    public static void Note(string message) => Console.Error.WriteLine(PlainText.Of(message));
}
