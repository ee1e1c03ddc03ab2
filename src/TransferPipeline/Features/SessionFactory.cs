using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features;

/// <summary>Makes ONNX Runtime sessions for a device.</summary>
public static class SessionFactory
{
    /// <summary>A session that may be run by several threads at once.</summary>
    /// <param name="threads">Threads inside one run, the caller's included; 1 leaves the parallelism to the callers.</param>
    /// <exception cref="BadInputException">ONNX Runtime cannot load the graph.</exception>
    /// <exception cref="JobFailedException">The device cannot be used; it is never replaced by another.</exception>
    public static InferenceSession Create(CutModel model, DeviceOptions device, int threads = 1)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        // Threads that wait for work by spinning take time from decoding.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", threads > 1 ? "1" : "0");
        if (!device.IsCpu)
            AppendProvider(options, device);
        try
        {
            return new InferenceSession(model.Onnx, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException($"ONNX Runtime cannot load the backbone: {FirstLine(e)}", e);
        }
    }

    private static void AppendProvider(SessionOptions options, DeviceOptions device)
    {
        var settings = new Dictionary<string, string> { ["device_id"] = device.Index.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        try
        {
            if (device.Provider == DeviceOptions.Cuda)
            {
                settings["use_tf32"] = device.Precision == "tf32" ? "1" : "0";
                if (device.MemoryLimit > 0)
                    settings["gpu_mem_limit"] = device.MemoryLimit.ToString(System.Globalization.CultureInfo.InvariantCulture);
                using var cuda = new OrtCUDAProviderOptions();
                cuda.UpdateOptions(settings);
                options.AppendExecutionProvider_CUDA(cuda);
            }
            else
            {
                using var tensorRt = new OrtTensorRTProviderOptions();
                tensorRt.UpdateOptions(settings);
                options.AppendExecutionProvider_Tensorrt(tensorRt);
            }
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            throw new JobFailedException($"device {device} cannot be used: {FirstLine(e)}; 'transfer doctor' lists what is missing", e);
        }
    }

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].Trim();
}
