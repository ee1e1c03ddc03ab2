namespace TransferPipeline.Tuning;

/// <summary>Some photos at the cut.</summary>
/// <param name="Inputs">For each of the graph's inputs, N times its values per photo.</param>
/// <param name="Labels">N classes from 0.</param>
internal sealed record TunedBatch(IReadOnlyList<ReadOnlyMemory<float>> Inputs, ReadOnlyMemory<int> Labels)
{
    /// <summary>N.</summary>
    public int Photos => Labels.Length;
}

/// <param name="Loss">Sum over the photos of class weight times loss of the head; the auxiliary head's is not in it.</param>
/// <param name="Weight">Sum of the photos' class weights; their number without class weights.</param>
/// <param name="Correct">Photos whose largest logit is their label's.</param>
internal readonly record struct StepResult(double Loss, double Weight, int Correct);
