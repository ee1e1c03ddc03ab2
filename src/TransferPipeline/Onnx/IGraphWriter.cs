namespace TransferPipeline.Onnx;

/// <summary>Appends standard ONNX operators to a graph; how heads, poolings and preprocessing write themselves into a model.</summary>
public interface IGraphWriter
{
    /// <summary>Version of the default operator set that the graph is of.</summary>
    int Opset { get; }

    /// <summary>Adds a float32 initializer and returns its (unique) name.</summary>
    string Constant(string hint, ReadOnlySpan<float> values, params ReadOnlySpan<long> dims);

    /// <summary>Adds an int64 initializer and returns its name.</summary>
    string Constant(string hint, ReadOnlySpan<long> values, params ReadOnlySpan<long> dims);

    /// <summary>
    /// Adds a node with one output and returns that output's name. Attribute values: long, float, string, long[], float[], string[].
    /// </summary>
    string Node(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes);

    /// <summary>As <see cref="Node"/>, for several outputs, and for operators of another domain (<c>ai.onnx.ml</c>).</summary>
    string[] Nodes(
        string op,
        string domain,
        int outputs,
        ReadOnlySpan<string> inputs,
        params ReadOnlySpan<(string Name, object Value)> attributes
    );
}
