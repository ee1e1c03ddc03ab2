using TransferPipeline.Onnx;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>One node of the graph with the values of its inputs.</summary>
/// <param name="Opset">Version of the default operators.</param>
/// <param name="Inputs">Null for those that the node leaves out.</param>
internal sealed record OperatorCall(PlannedNode Planned, int Opset, GraphValue?[] Inputs, GraphRun Run)
{
    public NodeProto Node => Planned.Node;

    public string Op => Node.OpType;

    /// <summary>Inputs that do not depend on the photos are all there are.</summary>
    public bool IsHost => Array.TrueForAll(Inputs, i => i is null or { Host: not null });

    public bool Has(int input) => input < Inputs.Length && Inputs[input] is not null;

    /// <summary>An input in float32, whatever made it.</summary>
    public Tensor Data(int input) => AsMade(input).Widened();

    /// <summary>
    /// An input as it is: bfloat16 where a product made it. For operators whose results are among their inputs, so that they round nothing.
    /// </summary>
    public Tensor AsMade(int input) => Inputs[input] is { } value ? value.Tensor ?? value.Host!.ToTensor(Run.Device) : throw Missing(input);

    /// <summary>An operand of a product, in the precision of products.</summary>
    public Tensor Factor(int input) =>
        Run.ComputesInBfloat16 && Bfloat16.IsProduct(Node) ? AsMade(input).to(ScalarType.BFloat16) : Data(input);

    public Tensor? FactorOrNull(int input) => Has(input) ? Factor(input) : null;

    public Tensor? DataOrNull(int input) => Has(input) ? Data(input) : null;

    /// <summary>An input that must not depend on the photos, such as a shape.</summary>
    public HostArray Constant(int input) =>
        Inputs[input] is not { } value ? throw Missing(input)
        : value.Host is { } host ? host
        : throw new InvalidDataException($"its input '{Node.Input[input]}' is computed from the photo's values");

    public HostArray? ConstantOrNull(int input) => Has(input) ? Constant(input) : null;

    /// <summary>The integers of an input; of an attribute in older versions of the operator; null when both are absent.</summary>
    public long[]? Integers(int input, string attribute) => ConstantOrNull(input)?.Integers ?? Ints(attribute);

    public long[]? Ints(string name) => Node.Ints(name);

    public long Int(string name, long absent) => Node.Int(name, absent);

    public float Float(string name, float absent) => Node.Attribute(name)?.F ?? absent;

    public string Text(string name, string absent) => Node.Attribute(name)?.S.ToStringUtf8() ?? absent;

    /// <summary>Nothing needs the input after this node, forward or backward, so that its memory can take the result.</summary>
    // libtorch lets nothing overwrite a leaf, as which a run goes on behind a normalization with the batch's statistics.
    public bool MayOverwrite(int input) =>
        Inputs[input]?.Tensor is { } tensor && Planned.Overwritable[input] && !(tensor.requires_grad && tensor.is_leaf);

    /// <summary>An input that is one real constant; null when it is more, or would give the result more axes.</summary>
    public float? Scalar(int input, int rank) =>
        Inputs[input]?.Host is { Count: 1 } host && host.Dims.Length <= rank ? (float)host.At(0) : null;

    private InvalidDataException Missing(int input) => new($"its input {input} is missing");
}
