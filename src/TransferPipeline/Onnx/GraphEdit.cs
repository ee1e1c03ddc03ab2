using Google.Protobuf.Collections;

namespace TransferPipeline.Onnx;

/// <summary>Renames tensors where they are made or used.</summary>
internal static class GraphEdit
{
    /// <summary>Every node that takes <paramref name="tensor"/> takes <paramref name="other"/> instead.</summary>
    public static void Redirect(GraphProto graph, string tensor, string other)
    {
        foreach (var node in graph.Node)
            Replace(node.Input, tensor, other);
    }

    /// <summary>The node that makes <paramref name="tensor"/> makes it under another name; its users are left alone.</summary>
    public static void RenameMade(GraphProto graph, string tensor, string other)
    {
        foreach (var node in graph.Node)
            Replace(node.Output, tensor, other);
    }

    private static void Replace(RepeatedField<string> names, string name, string other)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
                names[i] = other;
        }
    }
}
