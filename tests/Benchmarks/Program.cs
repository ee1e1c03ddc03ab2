using BenchmarkDotNet.Running;
using TransferPipeline.Benchmarks;

if (args is ["parquet-formats", var featureSet])
    ParquetFormats.Run(featureSet);
else
    BenchmarkSwitcher.FromAssembly(typeof(PreprocessingBenchmarks).Assembly).Run(args);
