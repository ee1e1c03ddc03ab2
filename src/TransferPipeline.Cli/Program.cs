using TransferPipeline.Cli;
using TransferPipeline.Cli.Output;
using TransferPipeline.Cli.Platform;

// First: below the limit loading the next assembly may fail, with an error that names another cause.
if (!ProcessLimits.AreEnough())
    return (int)TransferPipeline.ExitCode.Failed;
ConsoleText.UseUtf8();
Console.SetOut(new OutputWriter(Console.Out));
Console.SetError(new ErrorWriter(Console.Error));
return await CommandLine.RunAsync(args);
