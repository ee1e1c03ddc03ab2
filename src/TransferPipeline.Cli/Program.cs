using TransferPipeline.Cli;

return await CommandLine.RunAsync(args);
