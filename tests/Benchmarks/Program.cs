using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(TransferPipeline.Benchmarks.PreprocessingBenchmarks).Assembly).Run(args);
