using TransferPipeline.Backbones;

namespace TransferPipeline.Extraction;

/// <summary>The engine that suits a device.</summary>
internal static class ExtractionEngines
{
    public static IExtractionEngine Create(ExtractionJob job, ExtractionOptions options, CutModel model, int missing)
    {
        var converted = job.Device.Precision == "fp16" ? HalfPrecision.Convert(model, options.Message) : model;
        // Before the engine, which takes the card's memory.
        if (job.Device.Precision != "fp32" && PrecisionCheck.Run(job, model, converted) is { } error)
            options.Message(error.ToString());
        return job.Device.IsCpu ? new CpuEngine(converted, options.Workers) : GpuEngine.Create(job, options, converted, missing);
    }
}
