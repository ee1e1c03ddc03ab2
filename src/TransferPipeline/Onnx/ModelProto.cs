using Google.Protobuf;

namespace TransferPipeline.Onnx;

internal sealed partial class ModelProto
{
    /// <summary>The version of the format from which on initializers need not be listed among the inputs.</summary>
    private const int UnlistedInitializers = 4;

    /// <summary>Version of the default operators; 1 where the file states none, as the first version of the format did.</summary>
    public int Opset => (int)Math.Clamp(DefaultOperators?.Version ?? 1, int.MinValue, int.MaxValue);

    /// <summary>The import of the default operators, whose domain has two spellings; null where the file states none.</summary>
    public OperatorSetIdProto? DefaultOperators => OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx");

    /// <summary>Raises the version of the format where it requires all initializers to be inputs.</summary>
    public void AllowUnlistedInitializers() => IrVersion = Math.Max(IrVersion, UnlistedInitializers);

    /// <summary>A copy of everything but the graph, unknown fields included. Other threads may read the model meanwhile.</summary>
    public ModelProto CloneWithoutGraph()
    {
        var copy = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = ProducerName,
            ProducerVersion = ProducerVersion,
            Domain = Domain,
            ModelVersion = ModelVersion,
            DocString = DocString,
            _unknownFields = UnknownFieldSet.Clone(_unknownFields),
        };
        copy.OpsetImport.Add(OpsetImport.Clone());
        copy.MetadataProps.Add(MetadataProps.Clone());
        copy.Functions.Add(Functions.Clone());
        return copy;
    }
}
