namespace TransferPipeline;

/// <summary>Exit codes of the command (sysexits' idea, kept to four).</summary>
internal enum ExitCode
{
    Done = 0,
    Failed = 1,
    Usage = 2,
    Interrupted = 130,
}

/// <summary>
/// Base of every error that a user can cause or cure; its message is one line (names from files may hold line breaks) and complete by
/// itself.
/// </summary>
public abstract class TransferException : Exception
{
    private protected TransferException(ExitCode exitCode, string message, Exception? inner = null)
        : base(message.ReplaceLineEndings(" "), inner) => ExitCode = exitCode;

    /// <summary>What the command ends with when it fails for this reason.</summary>
    internal ExitCode ExitCode { get; }
}

/// <summary>A file or folder is bad: the message names it, what was found and what was expected.</summary>
public sealed class BadInputException(string message, Exception? inner = null) : TransferException(ExitCode.Usage, message, inner);

/// <summary>The program was called wrongly: an unknown name, a value out of range, settings that contradict each other.</summary>
public sealed class UsageException(string message, Exception? inner = null) : TransferException(ExitCode.Usage, message, inner)
{
    /// <summary>The column that was requested of a table which lacks it; null for any other mistake.</summary>
    internal string? MissingColumn { get; init; }
}

/// <summary>The input was acceptable but the job could not be done: a full disk, too many bad photos, a lock that is held.</summary>
public sealed class JobFailedException(string message, Exception? inner = null) : TransferException(ExitCode.Failed, message, inner)
{
    /// <summary>
    /// Whether one head with its settings failed, as by a loss that diverges: a comparison leaves that head out. A full disk or a device
    /// that is missing would fail the others too.
    /// </summary>
    internal bool IsOfHead { get; init; }
}
