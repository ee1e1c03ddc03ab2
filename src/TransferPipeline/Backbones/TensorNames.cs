using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>Finds a tensor by its own name or its node's.</summary>
internal static class TensorNames
{
    /// <exception cref="UsageException">There is none of that name, or it does not depend on the image; the nearest is
    /// suggested.</exception>
    public static string Find(string file, GraphIndex index, string name)
    {
        if (Known(index, name) is { } tensor)
        {
            return index.OtherInput(tensor) is not { } other
                ? tensor
                : throw new UsageException(
                    $"{Path.GetFileName(file)}: '{name}' needs the input '{other}' besides the photo; choose a tensor that comes from "
                        + $"the photo alone"
                );
        }

        if (index.Initializer(name) is not null || index.Producer(name) is not null || name == index.Input)
            Throw.Usage($"{Path.GetFileName(file)}: '{name}' is not computed from the photo's pixels by a layer; a cut must be");
        throw new UsageException($"{Path.GetFileName(file)}: no tensor '{name}'{Hint(index, name)} (transfer inspect --cuts lists them)");
    }

    private static string? Known(GraphIndex index, string name) =>
        // Tensors before nodes: a cut is stored by the tensor's name, which must keep its meaning.
        index.Depends(name)
        && name != index.Input
            ? name
        : name.Length > 0 && index.Graph.Node.FirstOrDefault(n => n.Name == name) is { } node ? node.Output.FirstOrDefault(index.Depends)
        : null;

    /// <summary>The last tensor whose name contains the text (the output of a block that was named), else the nearest spelling.</summary>
    private static string Hint(GraphIndex index, string name)
    {
        var containing = index.Tensors.LastOrDefault(t => t.Contains(name, StringComparison.OrdinalIgnoreCase));
        return containing is not null
            ? $"; did you mean '{containing}'?"
            : NearestName.Hint(
                name,
                index.Tensors.Concat(index.Graph.Node.Select(n => n.Name)).Append(CutRequest.Penultimate).Append(CutRequest.Features)
            );
    }
}
