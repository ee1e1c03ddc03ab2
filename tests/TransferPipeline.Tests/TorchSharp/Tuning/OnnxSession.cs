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
        using var session = new InferenceSession(model.ToByteArray());
        using var given = OrtValue.CreateTensorValueFromMemory(values, Array.ConvertAll(shape, d => (long)d));
        using var results = session.Run(new RunOptions(), [input], [given], session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
