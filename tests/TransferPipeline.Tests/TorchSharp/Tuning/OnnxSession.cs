using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>The expected values: ONNX Runtime's.</summary>
internal static class OnnxSession
{
    /// <returns>The values of the first output.</returns>
    public static float[] Run(ModelProto model, string input, float[] values, int[] shape)
    {
        // It warns of modes that are deprecated, which files have all the same.
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var given = OrtValue.CreateTensorValueFromMemory(values, Array.ConvertAll(shape, d => (long)d));
        // A variable: ONNX Runtime reads the options during the run, and a garbage collection would free them.
        using var run = new RunOptions();
        using var results = session.Run(run, [input], [given], session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
