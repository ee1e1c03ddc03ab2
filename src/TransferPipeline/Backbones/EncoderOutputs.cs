using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>What a tensor holds for one photo.</summary>
internal enum OutputForm
{
    Vector,
    Tokens,
    Map,
    Other,
}

/// <summary>A tensor that may be the feature of a model without a classifier.</summary>
/// <param name="Shape">For one photo, batch axis included.</param>
internal sealed record EncoderOutput(string Name, long[] Shape, OutputForm Form)
{
    public override string ToString() =>
        $"'{Name}' ({string.Join(" x ", Shape)}{Form switch { OutputForm.Tokens => ", tokens", OutputForm.Map => ", a map", _ => "" }})";

    /// <summary>Length of the vector.</summary>
    public long Length => Shape.Aggregate(1L, (product, d) => product * d);
}

/// <summary>The outputs of a model without a classifier, and which of them is its feature.</summary>
internal sealed class EncoderOutputs
{
    private readonly string _file;
    private readonly string? _reason;

    private EncoderOutputs(string file, IReadOnlyList<EncoderOutput> all, string? reason) =>
        (_file, All, _reason) = (Path.GetFileName(file), all, reason);

    /// <summary>Outputs of floating-point values that depend on the photo alone.</summary>
    public IReadOnlyList<EncoderOutput> All { get; }

    /// <param name="heads">What the walks from the outputs found.</param>
    public static EncoderOutputs Find(string file, ModelProto model, GraphIndex index, BackboneInput input, IReadOnlyList<OutputHead> heads)
    {
        // The features of heads that are put together stand for their output.
        var several = heads.Where(h => h.Features.Count > 0).MaxBy(h => h.Depth);
        var names = several?.Features ?? [.. heads.Select(h => h.Output).Distinct()];
        // ONNX Runtime runs no graph without outputs.
        var shapes = names.Count > 0 ? ShapeProbe.Run(file, model, index, input, names) : [];
        var all = names
            .Where(shapes.ContainsKey)
            .Select(n => new EncoderOutput(n, shapes[n].Shape, Form(shapes[n])))
            .Where(o => o.Form != OutputForm.Other || several is not null)
            .ToList();
        var reason =
            several is not null ? $"several heads, each with a feature of its own, make '{several.Output}'"
            : heads.Where(h => h.NoClassifier is not null).MaxBy(h => h.Depth) is { } projection
                ? $"no classifier (its last layer {projection.NoClassifier})"
            : "no classifier";
        return new(file, all, reason);
    }

    /// <summary>The output that the default cut means under a pooling.</summary>
    /// <exception cref="UsageException">There is none, or there are several.</exception>
    public EncoderOutput Choose(Pooling pooling)
    {
        OutputForm[] wanted = pooling.Kind switch
        {
            PoolingKind.None => [OutputForm.Vector],
            PoolingKind.Adaptive => [OutputForm.Map],
            PoolingKind.Cls or PoolingKind.Mean or PoolingKind.ClsMean => [OutputForm.Tokens],
            _ => [OutputForm.Map, OutputForm.Tokens, OutputForm.Vector],
        };
        // In this order: a pooling of maps applies to tokens and vectors too, but a map is what it is meant for.
        foreach (var form in wanted)
        {
            var candidates = All.Where(o => o.Form == form).ToList();
            if (candidates.Count == 1)
                return candidates[0];
            // Never the first of several: which of them heads should see, only the user knows.
            if (candidates.Count > 1)
                Throw.Usage($"{_file}: {_reason}; choose the feature with --cut NAME: {string.Join(", ", candidates)}");
        }

        if (All.Count == 0)
            Throw.Usage(
                $"{_file}: {_reason}, and no output holds floating-point values of the photo alone; choose a tensor with --cut NAME "
                    + $"('transfer inspect {_file} --cuts' lists them)"
            );
        var what = pooling.Kind switch
        {
            PoolingKind.None => "one vector per photo",
            PoolingKind.Adaptive => "a map",
            _ => "tokens",
        };
        throw new UsageException(
            $"{_file}: {_reason}, and no output holds {what}: {string.Join(", ", All)}; "
                + (
                    pooling == Pooling.None
                        ? "give a pooling (for tokens cls, mean or cls+mean; for a map avg), or another tensor with --cut NAME; "
                            + "quantize and finetune take the network exported with its pooling"
                        : "choose another pooling, or another tensor with --cut NAME"
                )
        );
    }

    /// <summary>The tensor from which places to cut are searched: the feature, or the first output where it is not clear.</summary>
    public string? Root =>
        (
            All.Where(o => o.Form == OutputForm.Vector).ToList() is [var only] ? only
            : All.Count > 0 ? All[0]
            : null
        )?.Name;

    /// <summary>One line on the tensor that was taken.</summary>
    public string Note(EncoderOutput chosen, Pooling pooling)
    {
        var others = All.Where(o => o != chosen).ToList();
        var what =
            chosen.Form == OutputForm.Vector
                ? $"its output '{chosen.Name}' ({chosen.Length} values) is the feature"
                : $"its output {chosen}, pooled by {pooling}, is the feature";
        return $"{_file}: {_reason}; {what}{(others.Count > 0 ? $"; its other outputs, for --cut: {string.Join(", ", others)}" : "")}";
    }

    private static OutputForm Form(ProbedTensor tensor)
    {
        if (
            tensor.Type
            is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double or TensorElementType.BFloat16)
        )
            return OutputForm.Other;
        var shape = tensor.Shape;
        return shape.Length switch
        {
            2 when shape[1] > 1 => OutputForm.Vector,
            // N x C x 1 x 1, N x 1 x D and the like are vectors that were not flattened.
            3 or 4 when shape.Skip(1).Count(d => d > 1) == 1 => OutputForm.Vector,
            3 => OutputForm.Tokens,
            4 => OutputForm.Map,
            _ => OutputForm.Other,
        };
    }
}
