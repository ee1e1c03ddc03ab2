using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference.Gpu.Cuda;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;

namespace TransferPipeline.Inference;

/// <summary>Makes ONNX Runtime sessions for a device.</summary>
internal static class SessionFactory
{
    /// <summary>More options of the CUDA provider, as in <c>fuse_conv_bias=1,prefer_nhwc=0</c>; for trials of them.</summary>
    private const string OptionsVariable = "TRANSFER_CUDA_OPTIONS";

    /// <summary>A session that may be run by several threads at once.</summary>
    /// <param name="threads">Threads inside one run, the caller's included; 1 leaves the parallelism to the callers.</param>
    /// <param name="profile">Start of the name of a profile file to write, or null.</param>
    /// <exception cref="BadInputException">ONNX Runtime cannot load the graph.</exception>
    /// <exception cref="JobFailedException">The device cannot be used; it is never replaced by another.</exception>
    public static InferenceSession Create(CutModel model, DeviceOptions device, int threads = 1, string? profile = null)
    {
        RequireDevice(device);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            // On a GPU errors come as exceptions too, and those of a trial that finds the memory's end are none.
            LogSeverityLevel = device.IsCpu ? OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR : OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            // A plan of all tensors as one block comes on top of what the first run took piece by piece: 100 MB with VGG16 for each thread,
            // and a
            // third of what batches of 64 take of a GPU. It saves no time where the arena is shared.
            EnableMemoryPattern = false,
        };
        // Threads that wait for work by spinning take time from decoding.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", threads > 1 ? "1" : "0");
        if (device.IsCpu)
            IntegerArithmetic.RequireExactSums(options, model.Model.Graph);
        // In this order: setting the first takes what the second is then.
        if (profile is not null)
            (options.ProfileOutputPathPrefix, options.EnableProfiling) = (profile, true);
        try
        {
            if (device is { IsCpu: false, CudaFusion: CudaFusion.On } && !MayFuse(model, device))
                Throw.Usage(
                    "CUDA fusion is for precision tf32 and fp16 with layout nhwc, which 'auto' leaves to graphs that compute with "
                        + "shapes: leave it off, or choose the layout"
                );
            AppendProviders(options, device, !device.IsCpu && WantsNhwc(model, device));
            return model.CreateSession(options, slice: device.IsCpu);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException && !device.IsCpu)
        {
            // A native library that is built for the CPU alone lacks the providers' functions.
            throw new JobFailedException(
                $"device {device} cannot be used: {GpuErrors.Brief(e)}; 'transfer doctor' lists what is there and what is missing",
                e
            );
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException($"ONNX Runtime cannot load the backbone: {e.FirstLine()}", e);
        }
    }

    /// <summary>Makes sure that the device's provider and the libraries that it needs are there, before anything is computed.</summary>
    /// <exception cref="JobFailedException">One is missing; it is named with its cure.</exception>
    public static void RequireDevice(DeviceOptions device)
    {
        if (device is { IsCpu: false, Precision: Precision.Fp32 or Precision.Tf32 })
            // Before the libraries are loaded by the search below, since they read the variable then.
            NativeSetup.ForbidTf32(device.Precision == Precision.Fp32);
        if (!device.IsCpu && CudaLibraries.Problem(device.Gpus, device.Provider == Provider.TensorRt) is { } problem)
            throw new JobFailedException($"device {device} cannot be used: {problem}");
    }

    /// <summary>Options of the CUDA provider, by ONNX Runtime's names.</summary>
    /// <param name="nhwc">Let convolutions and poolings work on N x height x width x C.</param>
    /// <param name="more">As in <c>name=value,name=value</c>; they win.</param>
    internal static Dictionary<string, string> CudaSettings(DeviceOptions device, bool nhwc = false, string? more = null)
    {
        var settings = new Dictionary<string, string>
        {
            ["device_id"] = device.Index.ToString(CultureInfo.InvariantCulture),
            // 0 takes all tensor cores from convolutions, those of float16 too (ONNX Runtime's cuda/nn/conv.cc: deselect_numeric_notes).
            ["use_tf32"] = device.Precision == Precision.Fp32 ? "0" : "1",
            ["prefer_nhwc"] = nhwc ? "1" : "0",
            ["cudnn_conv_algo_search"] = device.CudnnSearch.ToString().ToUpperInvariant(),
            ["cudnn_conv_use_max_workspace"] = "1",
            // Where cuDNN has no engine for both, ONNX Runtime runs that convolution and its bias as without this.
            ["fuse_conv_bias"] = device.CudaFusion == CudaFusion.On ? "1" : "0",
            // Otherwise each growth doubles the arena, and the trial of batch sizes takes what is never used again.
            ["arena_extend_strategy"] = "kSameAsRequested",
        };
        if (device.CudaGraphs)
            settings["enable_cuda_graph"] = "1";
        if (device.MemoryLimit > 0)
            settings["gpu_mem_limit"] = device.MemoryLimit.ToString(CultureInfo.InvariantCulture);
        foreach (var option in (more ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (option.Split('=', 2) is not [var name, var value])
                throw new UsageException($"{OptionsVariable} has '{option}', expected name=value, several separated by commas");
            settings[name] = value;
        }

        return settings;
    }

    /// <summary>Whether convolutions are to work on N x height x width x C, as tensor cores do.</summary>
    internal static bool WantsNhwc(CutModel model, DeviceOptions device) =>
        device.CudaLayout == CudaLayout.Nhwc
        || (
            device.CudaLayout == CudaLayout.Auto
            && device.Precision != Precision.Fp32
            && model.Model.Graph.Node.All(n => n.OpType != "Shape")
        );

    /// <summary>
    /// Whether convolutions may add their bias themselves. In fp32 ONNX Runtime 1.29 lets tensor cores in where cuDNN has no engine without
    /// them for both (conv.cc: CreateCudnnFeExecutionPlan), and in nchw it clears a third operand outside the batch's stream (cudaMemset).
    /// </summary>
    internal static bool MayFuse(CutModel model, DeviceOptions device) => device.Precision != Precision.Fp32 && WantsNhwc(model, device);

    /// <summary>Options of the TensorRT provider; what it cannot run goes to CUDA.</summary>
    internal static Dictionary<string, string> TensorRtSettings(DeviceOptions device) =>
        new()
        {
            ["device_id"] = device.Index.ToString(CultureInfo.InvariantCulture),
            ["trt_fp16_enable"] = device.Precision == Precision.Fp16 ? "1" : "0",
        };

    private static void AppendProviders(SessionOptions options, DeviceOptions device, bool nhwc)
    {
        if (device.IsCpu)
            return;
        // Of convolutions that cuDNN cannot run with their bias it reports errors, though it then runs them without.
        OrtEnv.Instance().EnvLogLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        CudaRuntime.Use(device.Index);
        // In order of preference: what TensorRT does not run goes to CUDA, and what CUDA lacks to the CPU.
        if (device.Provider == Provider.TensorRt)
        {
            using var tensorRt = new OrtTensorRTProviderOptions();
            tensorRt.UpdateOptions(TensorRtSettings(device));
            options.AppendExecutionProvider_Tensorrt(tensorRt);
        }

        using var cuda = new OrtCUDAProviderOptions();
        cuda.UpdateOptions(CudaSettings(device, nhwc, Environment.GetEnvironmentVariable(OptionsVariable)));
        options.AppendExecutionProvider_CUDA(cuda);
    }
}
