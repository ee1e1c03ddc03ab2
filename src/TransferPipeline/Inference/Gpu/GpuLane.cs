using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Inference.Gpu;

/// <summary>One caller of a GPU.</summary>
/// <param name="Session">The GPU's, or of its own where CUDA graphs are captured.</param>
/// <param name="Memory">The GPU's memory, as the session gives it.</param>
/// <param name="Thread">The only one that calls the session for this lane.</param>
internal sealed record GpuLane(InferenceSession Session, int Gpu, TensorMemory Memory, GpuThread Thread);
