namespace TransferPipeline.Jobs;

/// <summary>A backbone that was trained above a cut.</summary>
/// <param name="File">The ONNX file; its manifest lies beside it.</param>
/// <param name="Classifier">The classifier file, or null.</param>
/// <param name="Accuracy">On split validation, with the head that was trained with it.</param>
/// <param name="FrozenAccuracy">On split validation, of the softmax head on frozen features with which training started.</param>
public sealed record FinetunedModel(string File, string? Classifier, double Accuracy, double FrozenAccuracy);
