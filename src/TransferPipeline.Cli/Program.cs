using TransferPipeline.Cli;
using TransferPipeline.Cli.Output;

Console.SetError(new ErrorWriter(Console.Error));
return await CommandLine.RunAsync(args);
