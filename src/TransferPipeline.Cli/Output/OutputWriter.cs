namespace TransferPipeline.Cli.Output;

/// <summary>stdout. Where it cannot be written, results are lost, so the command fails and its message names stdout.</summary>
internal sealed class OutputWriter(TextWriter output) : GuardedWriter(output)
{
    protected override void OnLost(Exception reason) =>
        throw new JobFailedException(
            // .NET has no message of its own for a closed stream.
            $"stdout cannot be written: {(reason is UnauthorizedAccessException ? "it is closed" : reason.FirstLine())}"
        );
}
