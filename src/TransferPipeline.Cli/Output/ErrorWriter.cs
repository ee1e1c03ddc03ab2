namespace TransferPipeline.Cli.Output;

/// <summary>
/// stderr. Where it cannot be written, progress and messages are lost, since there is nowhere to report it, but the job, its results and
/// its exit code are not.
/// </summary>
internal sealed class ErrorWriter(TextWriter error) : GuardedWriter(error)
{
    protected override void OnLost(Exception reason) { }
}
