using System.Text.RegularExpressions;

namespace TransferPipeline;

/// <summary>Messages of other libraries, as parts of ours, which are one line.</summary>
internal static partial class ForeignMessage
{
    /// <summary>The first line alone; what follows is often a trace.</summary>
    public static string FirstLine(this Exception error) => Plain(error.Message.Split('\n', 2)[0]);

    /// <summary>All lines as one.</summary>
    public static string OneLine(this Exception error) => Plain(error.Message.ReplaceLineEndings(" "));

    /// <summary>
    /// What an error of ONNX Runtime states, without its code, its place in the C++ sources, and the form that it has for a failed node.
    /// </summary>
    private static string Plain(string message)
    {
        if (!message.StartsWith("[ErrorCode:", StringComparison.Ordinal))
            return message.Trim();
        message = Node().Replace(Place().Replace(Code().Replace(message, ""), ""), "the layer '$2' ($1): ");
        message = Kernel()
            .Replace(message, "it has no kernel for the layer '$3' ($1 of opset $2) on values of its type; export it as float32");
        return message.Replace("std::bad_alloc", "there is not enough memory", StringComparison.Ordinal).Trim();
    }

    [GeneratedRegex(@"^\[ErrorCode:\w+\] ?(?:\[ONNXRuntimeError\] : \d+ : \w+ : ?)?(?:Exception during initialization: ?)?")]
    private static partial Regex Code();

    /// <summary>
    /// A file with its line, and the function: with its parameters behind a full path of the build on Linux, otherwise its name alone.
    /// </summary>
    [GeneratedRegex(
        @"(?:/[\w/.+-]*\.\w+:\d+ [^()]*(?:\((?:[^()]|\([^()]*\))*\))+(?: const)?(?: \[with [^\]]*\])?"
            + @"|(?:[A-Za-z]:\\)?[\w\\.+-]*\.(?:cc|h|cpp|hpp|cu|cuh):\d+ [\w:~<>]+) ?"
    )]
    private static partial Regex Place();

    [GeneratedRegex(@"Could not find an implementation for (\w+)\((\d+)\) node with name '([^']*)'")]
    private static partial Regex Kernel();

    [GeneratedRegex(@"Non-zero status code returned while running (\w+) node\. Name:'([^']*)' Status Message: ")]
    private static partial Regex Node();
}
