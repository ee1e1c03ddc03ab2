using Google.Protobuf;

namespace TransferPipeline.Onnx;

internal sealed partial class ModelProto
{
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
