using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Quantization;

namespace TransferPipeline.Jobs;

/// <content>The backbone that a precision means.</content>
public sealed partial record Toolbox
{
    /// <summary>
    /// With precision int8 the int8 form of a backbone, quantized on the dataset's training photos and kept in the user's store, and a
    /// device that runs it as it is; otherwise both unchanged.
    /// </summary>
    /// <param name="folders">Feature sets that will be written.</param>
    internal (ResolvedModel Model, DeviceOptions Device) ForPrecision(
        ResolvedModel model,
        DeviceOptions device,
        Dataset dataset,
        IEnumerable<string> folders,
        Int8Request request,
        CancellationToken cancellation
    )
    {
        if (device.Precision != Precision.Int8)
            return (model, device);
        // The file itself is in 8 bits and gives float32 vectors, which is the precision that the recipe names.
        return (Int8(request).Of(model, dataset, folders, cancellation), device with { Precision = Precision.Fp32 });
    }

    /// <summary>The store's int8 backbones by these options.</summary>
    internal Int8Models Int8(Int8Request request)
    {
        var quantizer = new BackboneQuantizer(this, request.Options, request.Threads, request.Message)
        {
            Decode = request.Decode,
            Preprocessing = request.Preprocessing,
        };
        return new(this, quantizer, request.Message);
    }
}

/// <summary>How an int8 backbone is made when it is not there.</summary>
internal sealed record Int8Request(QuantizationOptions Options, int Threads, Action<string> Message)
{
    public DecodeOptions Decode { get; init; } = new();

    public PreprocessingOverride? Preprocessing { get; init; }
}
