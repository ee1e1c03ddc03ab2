using TransferPipeline.Backbones;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>The engine that suits a device.</summary>
internal static class ExtractionEngines
{
    public static IExtractionEngine Create(ExtractionSpec spec, ExtractionOptions options, CutModel model, int missing)
    {
        if (spec.Device.Precision == Precision.Int8)
            throw new UsageException(
                "precision int8 needs an int8 backbone here: make one with 'transfer models quantize' and name its file, with fp32"
            );
        var converted = spec.Device.Precision == Precision.Fp16 ? HalfPrecision.Convert(model, options.Message) : model;
        // Before the engine, which takes the GPU's memory.
        if (spec.Device.Precision != Precision.Fp32 && PrecisionCheck.Run(spec, model, converted) is { } error)
            options.Message(error.ToString());
        return spec.Device.IsCpu
            ? new CpuEngine(converted, options.Workers)
            : new GpuEngine(spec.Device, GpuPlan.Measure(spec, options, converted, missing));
    }
}
