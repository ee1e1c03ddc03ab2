using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;

namespace TransferPipeline.Backbones;

/// <summary>A tensor as a run showed it.</summary>
/// <param name="Values">Its values in row-major order when it is float32 and was requested; otherwise empty.</param>
internal sealed record ProbedTensor(TensorElementType Type, long[] Shape, float[] Values);

/// <summary>Runs a graph in ONNX Runtime on pseudo-random pixels, to learn shapes and compare results.</summary>
internal sealed class Probe : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string _input;

    /// <summary>Loads a graph whose large weights are still in files; ONNX Runtime maps them from there.</summary>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime cannot load the graph.</exception>
    public Probe(ModelProto model, string input, bool optimize = true)
    {
        _input = input;
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            // A probe runs a few times: memory that ONNX Runtime would keep for later runs is only held.
            EnableMemoryPattern = false,
            EnableCpuMemArena = false,
        };
        IntegerArithmetic.RequireExactSums(options, model.Graph);
        _session = MappedWeights.CreateSession(model, options, slice: true);
    }

    /// <summary>Pixels of the given shape: uniform in -1..1, the same for the same seed on every machine.</summary>
    public static float[] Pixels(ReadOnlySpan<long> shape, int seed = 1)
    {
        var count = 1L;
        foreach (var d in shape)
            count *= d;
        var pixels = new float[count];
        // Knuth's multiplier, near 2^32 / golden ratio, spreads small seeds; xorshift must not start at 0.
        var state = (uint)seed * 2654435761u + 12345u;
        foreach (ref var pixel in pixels.AsSpan())
        {
            // Xorshift of 32 bits (Marsaglia 2003); its upper 24 bits make the float.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            pixel = (state >> 8) * (2f / (1 << 24)) - 1f;
        }

        return pixels;
    }

    /// <summary>Pixels for n photos in the unit of the network's input.</summary>
    public static float[] Pixels(BackboneInput input, int n)
    {
        var pixels = Pixels(input.Shape(n));
        if (input.InLevels)
        {
            foreach (ref var pixel in pixels.AsSpan())
                // -1 to 1 becomes whole levels of 0 to 254.
                pixel = MathF.Floor((pixel + 1f) * 127.5f);
        }

        return pixels;
    }

    /// <summary>Runs one batch.</summary>
    /// <param name="values">Copy the values of float outputs too.</param>
    public Dictionary<string, ProbedTensor> Run(float[] pixels, long[] shape, bool values, IReadOnlyCollection<string>? outputs = null)
    {
        outputs ??= _session.OutputNames;
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, shape);
        using var options = new RunOptions();
        using var results = _session.Run(options, [_input], [input], outputs);
        var tensors = new Dictionary<string, ProbedTensor>(StringComparer.Ordinal);
        foreach (var (name, result) in outputs.Zip(results))
        {
            if (!result.IsTensor)
                // Sequences and maps, as ZipMap makes them, have no shape.
                continue;
            var info = result.GetTensorTypeAndShape();
            var copy = values && info.ElementDataType == TensorElementType.Float ? result.GetTensorDataAsSpan<float>().ToArray() : [];
            tensors[name] = new(info.ElementDataType, info.Shape, copy);
        }

        return tensors;
    }

    public void Dispose()
    {
        _session.Dispose();
        // Sessions of large networks leave freed memory in glibc's arenas.
        NativeHeap.Trim();
    }
}
