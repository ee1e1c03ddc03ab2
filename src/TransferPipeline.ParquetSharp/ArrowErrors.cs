using ParquetSharp;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>What Arrow's C++ library reports, without the names of its classes.</summary>
internal static class ArrowErrors
{
    private const string Start = "(message: '";

    /// <summary>Calls the library; what it throws at bad bytes becomes one line that names the file.</summary>
    public static T Explain<T>(string file, Func<T> read) => ParquetErrors.Explain(file, read, Reason);

    /// <summary>The message between the quotes of <c>N7parquet16ParquetExceptionE (message: '...')</c>.</summary>
    public static string Reason(Exception e)
    {
        var start = e.Message.IndexOf(Start, StringComparison.Ordinal);
        if (e is not ParquetException || start < 0)
            return e.FirstLine();
        var reason = e.Message[(start + Start.Length)..].Split('\n', 2)[0].Trim();
        return reason.EndsWith("')", StringComparison.Ordinal) ? reason[..^2] : reason;
    }
}
