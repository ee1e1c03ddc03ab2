using System.Diagnostics;

namespace TransferPipeline.Tests.Cli;

/// <summary>What one run of the command printed, and its exit code.</summary>
internal sealed record TransferResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last line of stderr: where an error's single line stands.</summary>
    public string LastErrorLine => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";

    /// <summary>Wrong input or usage: exit code 2, one line with the text, and no stack trace.</summary>
    public static void AssertRefused(TransferResult result, string expected)
    {
        Assert.Contains(expected, result.LastErrorLine, StringComparison.Ordinal);
        Assert.StartsWith("transfer: ", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Equal(2, result.ExitCode);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}

/// <summary>Runs the built `transfer` as a child process, as a user would.</summary>
internal static class TransferProcess
{
    public static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "transfer");

    public static TransferResult Run(params string[] arguments) => RunIn(Directory.GetCurrentDirectory(), null, arguments);

    public static TransferResult RunIn(string folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        RunProgram(Executable, folder, environment, arguments);

    /// <summary>Runs a `transfer` that lies elsewhere, or another program.</summary>
    public static TransferResult RunProgram(
        string program,
        string folder,
        IReadOnlyDictionary<string, string>? environment,
        params string[] arguments
    )
    {
        using var process = StartProgram(program, folder, environment, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitToEnd();
        return new(process.ExitCode, output, error.Result);
    }

    /// <summary>
    /// Starts `transfer` so that it can be interrupted: a process that a shell runs in the background ignores SIGINT, and its children
    /// inherit that.
    /// </summary>
    public static Process Start(string folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        UnixTools.Require();
        // Only GNU's env has that option.
        return OperatingSystem.IsLinux()
            ? StartProgram("env", folder, environment, ["--default-signal=INT", Executable, .. arguments])
            : StartProgram(Executable, folder, environment, arguments);
    }

    private static Process StartProgram(string program, string folder, IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = Process.Start(start)!.KilledAtLimit();
        process.StandardInput.Close();
        return process;
    }
}
