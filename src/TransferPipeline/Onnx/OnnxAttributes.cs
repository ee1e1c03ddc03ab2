using Google.Protobuf;

namespace TransferPipeline.Onnx;

/// <summary>Reading and writing attributes of nodes.</summary>
internal static class OnnxAttributes
{
    public static AttributeProto? Attribute(this NodeProto node, string name) => node.Attribute.FirstOrDefault(a => a.Name == name);

    public static long Int(this NodeProto node, string name, long absent) => node.Attribute(name)?.I ?? absent;

    public static long[]? Ints(this NodeProto node, string name) => node.Attribute(name) is { } a ? [.. a.Ints] : null;

    /// <param name="value">long, int, float, double, string, long[], float[], string[] or a TensorProto.</param>
    public static AttributeProto Create(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long or int:
                (attribute.I, attribute.Type) = (Convert.ToInt64(value), AttributeProto.Types.AttributeType.Int);
                break;
            case float or double:
                (attribute.F, attribute.Type) = (Convert.ToSingle(value), AttributeProto.Types.AttributeType.Float);
                break;
            case string text:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeProto.Types.AttributeType.String);
                break;
            case long[] ints:
                attribute.Ints.AddRange(ints);
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                break;
            case float[] floats:
                attribute.Floats.AddRange(floats);
                attribute.Type = AttributeProto.Types.AttributeType.Floats;
                break;
            case string[] strings:
                attribute.Strings.AddRange(strings.Select(ByteString.CopyFromUtf8));
                attribute.Type = AttributeProto.Types.AttributeType.Strings;
                break;
            case TensorProto tensor:
                (attribute.T, attribute.Type) = (tensor, AttributeProto.Types.AttributeType.Tensor);
                break;
            default:
                throw new ArgumentException($"attribute {name}: {value.GetType().Name} is not a type of ONNX attributes", nameof(value));
        }

        return attribute;
    }
}
