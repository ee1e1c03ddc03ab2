namespace TransferPipeline.Onnx;

/// <summary>Puts a preprocessing graph in front of a network, so that both are one file.</summary>
internal static class GraphJoin
{
    /// <returns>A model that takes the input of <paramref name="first"/> and gives the outputs of <paramref name="second"/>.</returns>
    /// <exception cref="BadInputException">The first graph has not one input and one output, or the two are of different
    /// opsets.</exception>
    public static ModelProto Join(OnnxFile first, OnnxFile second)
    {
        var (input, output) = (Inputs(first.Model.Graph), first.Model.Graph.Output);
        if (input.Count != 1 || output.Count != 1)
            Throw.BadInput(
                $"{first.File}: {input.Count} inputs and {output.Count} outputs; expected a preprocessing graph with one of each"
            );
        // A file has one version per domain, and an operator may mean something else in another version. No converter is attempted.
        if (first.Model.Opset != second.Model.Opset)
            Throw.BadInput(
                $"{first.File}: of opset {first.Model.Opset}, but {Path.GetFileName(second.File)} is of opset {second.Model.Opset}; "
                    + $"export both with the same"
            );
        // The second graph keeps its names, so that cuts and manifests that name its tensors stay valid.
        var joined = second.Model.Clone();
        if (Inputs(joined.Graph) is not [var target])
            throw new BadInputException($"{second.File}: {Inputs(joined.Graph).Count} inputs; expected a network with one");
        var taken = new GraphWriter(joined);
        // The seam: the first graph's output takes the name of the second graph's input.
        var names = new Dictionary<string, string>(StringComparer.Ordinal) { [output[0].Name] = target.Name };
        var before = first.Model.Graph.Clone();
        foreach (var initializer in before.Initializer)
            initializer.Name = Name(initializer.Name);
        foreach (var node in before.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = Name(node.Input[i]);
            for (var i = 0; i < node.Output.Count; i++)
                node.Output[i] = Name(node.Output[i]);
        }

        // ONNX wants producers before users, so the preprocessing comes first.
        var nodes = joined.Graph.Node.ToList();
        joined.Graph.Node.Clear();
        joined.Graph.Node.AddRange(before.Node);
        joined.Graph.Node.AddRange(nodes);
        joined.Graph.Initializer.AddRange(before.Initializer);
        joined.Graph.Input.Clear();
        var declared = input[0].Clone();
        declared.Name = Name(declared.Name);
        joined.Graph.Input.Add(declared);
        foreach (var import in first.Model.OpsetImport.Where(i => i != first.Model.DefaultOperators))
        {
            if (joined.OpsetImport.All(o => o.Domain != import.Domain))
                joined.OpsetImport.Add(import.Clone());
        }

        joined.IrVersion = Math.Max(joined.IrVersion, first.Model.IrVersion);
        joined.AllowUnlistedInitializers();
        return joined;

        string Name(string name) =>
            name.Length == 0 ? ""
            : names.TryGetValue(name, out var known) ? known
            : names[name] = taken.Unique(name);
    }

    private static List<ValueInfoProto> Inputs(GraphProto graph)
    {
        var initializers = graph.Initializer.Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        return [.. graph.Input.Where(i => !initializers.Contains(i.Name))];
    }
}
