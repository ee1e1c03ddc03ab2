global using TransferPipeline.Heads;
