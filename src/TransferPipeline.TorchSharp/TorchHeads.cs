using TransferPipeline.Heads.Common;

namespace TransferPipeline.TorchSharp;

/// <summary>The heads that TorchSharp trains; they end as the library's own linear head and network, and so export.</summary>
internal static class TorchHeads
{
    public static IReadOnlyList<IHeadTrainer> Trainers { get; } = [new TorchLinearTrainer(), new TorchMlpTrainer()];
}
