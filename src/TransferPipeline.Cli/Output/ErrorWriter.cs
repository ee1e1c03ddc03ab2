using System.Text;

namespace TransferPipeline.Cli.Output;

/// <summary>
/// stderr that may be on a full disk or closed: progress and messages are then lost, since there is nowhere to report it, but the job, its
/// results and its exit code are not.
/// </summary>
internal sealed class ErrorWriter(TextWriter error) : TextWriter
{
    public override Encoding Encoding => error.Encoding;

    public override void Write(char value) => Try(() => error.Write(value));

    public override void Write(string? value) => Try(() => error.Write(value));

    public override void WriteLine() => Try(error.WriteLine);

    public override void WriteLine(string? value) => Try(() => error.WriteLine(value));

    public override void WriteLine(object? value) => Try(() => error.WriteLine(value));

    public override void Flush() => Try(error.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException) { }
    }
}
