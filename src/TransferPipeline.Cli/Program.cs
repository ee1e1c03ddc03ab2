using TransferPipeline.Cli;
using TransferPipeline.Cli.Output;

if (!ProcessLimits.AreEnough())
    return (int)TransferPipeline.ExitCode.Failed;
Console.SetError(new ErrorWriter(Console.Error));
return await CommandLine.RunAsync(args);
