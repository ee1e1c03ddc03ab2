using BenchmarkDotNet.Running;
using TransferPipeline.Benchmarks;
using TransferPipeline.Tuning;

if (args is ["parquet-formats", var featureSet])
    ParquetFormats.Run(featureSet);
else if (args is ["tuned-forward", .. var files])
    TunedGraphs.CompareForward(files);
else if (args is ["tuned-gradients", var model, var folder])
    TunedGraphs.WriteGradients(model, folder);
else if (args is ["tuned-steps", var timed, var photos, var steps, var threads, var shards, .. var more])
    TunedGraphs.TimeSteps(
        timed,
        int.Parse(photos),
        int.Parse(steps),
        int.Parse(threads),
        int.Parse(shards),
        more is ["bf16"] ? TunerPrecision.Bfloat16 : TunerPrecision.Float32
    );
else if (args is ["torch-heads-under-collection", var seconds, var solvers])
    TorchHeadsUnderCollection.Run(int.Parse(seconds), solvers);
else if (args is ["network-turns", var turns, .. var networks])
    NetworkTurns.Run(int.Parse(turns), networks);
else
    BenchmarkSwitcher.FromAssembly(typeof(PreprocessingBenchmarks).Assembly).Run(args);
