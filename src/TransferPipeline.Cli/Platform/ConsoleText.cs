using System.Text;

namespace TransferPipeline.Cli.Platform;

/// <summary>The encoding of stdout and stderr.</summary>
internal static class ConsoleText
{
    /// <summary>
    /// UTF-8 on Windows too, where a console and redirected output have the system's code page, which lacks characters of names and of
    /// tables. Linux and macOS have it already.
    /// </summary>
    public static void UseUtf8()
    {
        if (!OperatingSystem.IsWindows())
            return;
        try
        {
            // Without a byte-order mark, which would be the first bytes of redirected output.
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        }
        catch (IOException)
        {
            // No console whose code page could be set: what is written then keeps .NET's choice.
        }
    }
}
