namespace TransferPipeline.Heads.Networks;

/// <summary>Values that a solver learns, their gradient and the solver's memory of earlier steps.</summary>
internal sealed class Parameter(float[] values)
{
    public float[] Values { get; } = values;

    public float[] Gradient { get; } = new float[values.Length];

    /// <summary>SGD's momentum buffer, Adam's mean of gradients.</summary>
    public float[] First { get; } = new float[values.Length];

    /// <summary>Adam's mean of squared gradients; empty until it is needed.</summary>
    public float[] Second { get; set; } = [];
}
