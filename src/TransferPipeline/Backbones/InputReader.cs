using System.Globalization;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

/// <summary>Size of the photos that a caller wants; 0 x 0 leaves it to the file.</summary>
internal readonly record struct PhotoSize(int Height, int Width)
{
    public override string ToString() => Height == Width ? $"{Height}" : $"{Height} x {Width}";
}

/// <summary>Finds the one image input of a graph.</summary>
internal static class InputReader
{
    /// <summary>Side of the photos where neither the file nor the user gives one.</summary>
    public const int DefaultSize = 224;

    /// <summary>Inputs that an error lists; a file that was exported without its weights has one per weight.</summary>
    private const int MaxListed = 6;

    /// <summary>Largest side of a photo and largest fixed batch: beyond them a file is damaged or no classifier.</summary>
    private const int MaxSide = 4096;
    private const int MaxBatch = 1024;

    /// <summary>Operators on the pixels before the axes are turned.</summary>
    private const int MaxSteps = 16;

    /// <exception cref="BadInputException">There is no image input, or more than one.</exception>
    public static BackboneInput Read(string file, ModelProto model, PhotoSize size)
    {
        // Up to IR version 3 initializers are listed among the inputs.
        var initializers = model.Graph.Initializer.Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        var inputs = model.Graph.Input.Where(i => !initializers.Contains(i.Name)).ToList();
        var images = inputs.Where(IsImage).ToList();
        // Other inputs (CLIP's text) are allowed: what needs them cannot be cut out, and the error then states that.
        if (images.Count != 1)
            Throw.BadInput(
                $"{file}: its inputs are {Describe(inputs)}; expected one image input of shape N x 3 x H x W or N x H x W x 3, of type "
                    + $"float, float16, double or uint8, with N up to {MaxBatch} and sides up to {MaxSide}"
            );
        var input = images[0];
        var dims = input.Type.TensorType.Shape.Dim;
        // ONNX Runtime would take photos of 0 pixels alone.
        foreach (var open in dims.Where(d => d is { ValueCase: TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue, DimValue: <= 0 }))
            open.ClearValue();
        // Axis 1 has 3 channels in nchw, axis 3 in nhwc.
        var layout = Layout(model.Graph, input.Name, dims[1].DimValue, dims[3].DimValue);
        var (height, width) = layout == TensorLayout.Nchw ? (dims[2].DimValue, dims[3].DimValue) : (dims[1].DimValue, dims[2].DimValue);
        var isFixed = height > 0 && width > 0;
        if (size.Height > 0 && (height > 0 && height != size.Height || width > 0 && width != size.Width))
            Throw.Usage($"{file}: takes photos of {Side(height)} x {Side(width)} pixels; size {size} was requested");
        // Where one side alone is open, the photo is a square.
        var side = Math.Max(height, width) > 0 ? (int)Math.Max(height, width) : DefaultSize;
        if (size.Height == 0)
            size = new(side, side);
        int? batch = dims[0].DimValue > 0 ? (int)dims[0].DimValue : null;
        return new(
            input.Name,
            layout,
            (int)(isFixed ? height : size.Height),
            (int)(isFixed ? width : size.Width),
            isFixed,
            batch,
            ((DataType)input.Type.TensorType.ElemType).ToString().ToLowerInvariant()
        );
    }

    private static string Side(long pixels) => pixels > 0 ? pixels.ToString(CultureInfo.InvariantCulture) : "any";

    private static bool IsImage(ValueInfoProto input) =>
        input.Type?.TensorType is { Shape.Dim: { Count: 4 } d } tensor
        && IsPixels(tensor.ElemType)
        // An open axis has the value 0 or, by some exporters, -1.
        && (d[1].DimValue is 3 or <= 0 || d[3].DimValue == 3)
        && d[0].DimValue <= MaxBatch
        && d.Skip(1).All(x => x.DimValue <= MaxSide);

    private static bool IsPixels(int type) => (DataType)type is DataType.Float or DataType.Float16 or DataType.Uint8 or DataType.Double;

    private static TensorLayout Layout(GraphProto graph, string input, long second, long fourth)
    {
        if (second == 3 || fourth > 0 && fourth != 3)
            return TensorLayout.Nchw;
        if (fourth == 3)
            return TensorLayout.Nhwc;
        // Sizes unknown: tf2onnx transposes its NHWC input to NCHW, some behind arithmetic on the pixels.
        for (var step = 0; step < MaxSteps; step++)
        {
            var user = graph.Node.FirstOrDefault(n => n.OpType is not ("Shape" or "Size") && n.Input.Contains(input));
            if (user is { OpType: "Transpose" })
                return user.Ints("perm") is [0, 3, 1, 2] ? TensorLayout.Nhwc : TensorLayout.Nchw;
            if (user?.OpType is not ("Cast" or "Identity" or "Add" or "Sub" or "Mul" or "Div" or "Clip" or "Slice" or "DequantizeLinear"))
                break;
            input = user.Output[0];
        }

        return TensorLayout.Nchw;
    }

    private static string Describe(List<ValueInfoProto> inputs)
    {
        if (inputs.Count == 0)
            return "none";
        var listed = string.Join(", ", inputs.Take(MaxListed).Select(i => $"{i.Name} ({Shape(i)}{Type(i)})"));
        return inputs.Count <= MaxListed ? listed : $"{listed} and {inputs.Count - MaxListed} more";
    }

    private static string Shape(ValueInfoProto input) =>
        input.Type?.TensorType?.Shape is not { } shape
            ? "no shape"
            : string.Join(
                " x ",
                shape.Dim.Select(d =>
                    d.DimValue > 0 ? d.DimValue.ToString(CultureInfo.InvariantCulture)
                    : d.DimParam.Length > 0 ? d.DimParam
                    : "?"
                )
            );

    /// <summary>The type, where it is one that photos are not given in.</summary>
    private static string Type(ValueInfoProto input) =>
        input.Type?.TensorType is not { } tensor || IsPixels(tensor.ElemType) ? ""
        : Enum.IsDefined((DataType)tensor.ElemType) ? $", {((DataType)tensor.ElemType).ToString().ToLowerInvariant()}"
        : $", type {tensor.ElemType} of onnx.proto";
}
