using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline;

/// <summary>YAML text into nodes, with one kind of failure.</summary>
internal static class YamlText
{
    /// <param name="error">Makes the error from the line, 0 when unknown, and what is wrong in one line.</param>
    public static YamlStream Parse(string text, Func<long, string, Exception, TransferException> error)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
            return stream;
        }
        catch (YamlException e)
        {
            // YamlDotNet's messages have several lines and end with a dot; ours are one line, and the cure follows.
            throw error(
                e.Start.Line,
                string.Join(' ', e.Message.Split('\n', StringSplitOptions.TrimEntries)).TrimEnd('.') + Cure(e.Message),
                e
            );
        }
        catch (InvalidOperationException e)
        {
            // Its scanner runs into this on some texts that end or turn within a flow mapping.
            throw error(0, "a bracket or quote is not closed", e);
        }
    }

    private static string Cure(string problem) =>
        problem.Contains(" tab ", StringComparison.Ordinal) ? "; indent with spaces"
        : problem.Contains("invalid mapping", StringComparison.Ordinal) ? "; check how far this line is indented"
        : "";
}
