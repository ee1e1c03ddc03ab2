using TransferPipeline.Tuning;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Trains with libtorch.</summary>
internal sealed class TorchTuner : ITuner
{
    /// <summary>Null when libtorch loads on this machine; otherwise the reason and the cure.</summary>
    public static string? Unavailable => TorchRuntime.Problem;

    /// <summary>Behind the version: what an earlier version tuned with wrong convolutions is neither gone on with nor kept.</summary>
    public static string Variant => HiddenCaches.AreHidden ? ", without oneDNN" : "";

    public string? Problem(TunedGraph graph) => GraphCheck.Problem(graph);

    public ITunedPart Open(TunedGraph graph, TunerOptions options) => OpenPart(graph, options);

    internal static TorchTunedPart OpenPart(TunedGraph graph, TunerOptions options)
    {
        if (GraphCheck.Problem(graph) is { } problem)
            throw new BadInputException(problem);
        return new(graph, options);
    }
}
