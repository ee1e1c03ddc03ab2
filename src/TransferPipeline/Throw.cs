using System.Diagnostics.CodeAnalysis;

namespace TransferPipeline;

/// <summary>Throw helpers: keep messages in one voice and hot paths small.</summary>
internal static class Throw
{
    [DoesNotReturn]
    public static void BadInput(string message, Exception? inner = null) => throw new BadInputException(message, inner);

    [DoesNotReturn]
    public static void Usage(string message) => throw new UsageException(message);

    [DoesNotReturn]
    public static void JobFailed(string message, Exception? inner = null) => throw new JobFailedException(message, inner);
}
