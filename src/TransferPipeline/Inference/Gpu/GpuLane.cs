using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Inference.Gpu;

/// <summary>One caller of a card.</summary>
/// <param name="Session">The card's, or of its own where CUDA graphs are captured.</param>
/// <param name="Memory">The card's memory, as the session gives it.</param>
/// <param name="Thread">The only one that calls the session for this lane.</param>
internal sealed record GpuLane(InferenceSession Session, int Card, TensorMemory Memory, GpuThread Thread);
